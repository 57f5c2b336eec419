// SPDX-License-Identifier: GPL-2.0-only
/* Devices that do DMA: the probe reads bytes from each that the harness knows. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "probes.h"

/*
 * A device may appear after init starts, and a port may have no peer at first: number of tries, and
 * time between them.
 */
#define TRIES 200
#define PAUSE_MICROSECONDS 10000

static int open_late(const char *path)
{
	int file = -1;

	for (int tries = 0; file < 0 && tries < TRIES; tries++) {
		if (tries)
			usleep(PAUSE_MICROSECONDS);
		file = open(path, O_RDONLY | O_CLOEXEC);
	}
	return file;
}

/* Reads `count` bytes, and reports the last of them. */
static void read_device(struct probe_result *result, const char *path, size_t count)
{
	unsigned char bytes[4096];
	size_t done = 0;
	int file = open_late(path);

	if (file < 0) {
		probe_failed(result, "open");
		return;
	}
	for (int empty = 0; done < count;) {
		ssize_t got = read(file, bytes + done % sizeof(bytes), sizeof(bytes) - done % sizeof(bytes));

		if (got < 0 || (got == 0 && ++empty == TRIES)) {
			errno = got < 0 ? errno : ENODATA;
			probe_failed(result, "read");
			return;
		}
		if (got == 0)
			usleep(PAUSE_MICROSECONDS);
		done += (size_t)got;
	}
	/* `count` is a multiple of the buffer, or less. */
	memcpy(result->data, bytes + (count - 1) % sizeof(bytes) + 1 - sizeof(result->data), sizeof(result->data));
	result->data_bytes = sizeof(result->data);
}

#define CONTENT_BYTES 65536

void probe_virtio_console(struct probe_result *result)
{
	read_device(result, "/dev/vport0p1", CONTENT_BYTES);
}

void probe_virtio_blk(struct probe_result *result)
{
	read_device(result, "/dev/vda", CONTENT_BYTES);
}

/*
 * The kernel itself also reads from it, so it is not known where in the content these bytes are
 * from.
 */
void probe_virtio_rng(struct probe_result *result)
{
	read_device(result, "/dev/hwrng", sizeof(result->data));
}

/* ARP request for 10.0.2.2, the gateway of QEMU's user network. */
static void fill_request(struct ether_arp *request, const unsigned char *own)
{
	static const unsigned char guest[] = { 10, 0, 2, 15 }, gateway[] = { 10, 0, 2, 2 };

	memset(request, 0, sizeof(*request));
	request->arp_hrd = htons(ARPHRD_ETHER);
	request->arp_pro = htons(ETHERTYPE_IP);
	request->arp_hln = ETH_ALEN;
	request->arp_pln = sizeof(guest);
	request->arp_op = htons(ARPOP_REQUEST);
	memcpy(request->arp_sha, own, ETH_ALEN);
	memcpy(request->arp_spa, guest, sizeof(guest));
	memcpy(request->arp_tpa, gateway, sizeof(gateway));
}

/* Brings the interface up; returns its number and hardware address, or the call that failed. */
static const char *bring_up(int line, struct sockaddr_ll *address, unsigned char *own)
{
	struct ifreq request = { .ifr_name = "eth0" };
	int found = -1;

	for (int tries = 0; found < 0 && tries < TRIES; tries++) {
		if (tries)
			usleep(PAUSE_MICROSECONDS);
		found = ioctl(line, SIOCGIFINDEX, &request);
	}
	if (found < 0)
		return "SIOCGIFINDEX";
	address->sll_ifindex = request.ifr_ifindex;
	if (ioctl(line, SIOCGIFHWADDR, &request))
		return "SIOCGIFHWADDR";
	memcpy(own, request.ifr_hwaddr.sa_data, ETH_ALEN);
	request.ifr_flags = IFF_UP;
	return ioctl(line, SIOCSIFFLAGS, &request) ? "SIOCSIFFLAGS" : NULL;
}

/* Sends the request until the answer comes: the link may need a moment to come up. */
static const char *ask(int line, const struct sockaddr_ll *address, const struct ether_arp *request, struct probe_result *result)
{
	struct ether_arp answer;

	for (int tries = 0; tries < TRIES; tries++) {
		if (sendto(line, request, sizeof(*request), 0, (const void *)address, sizeof(*address)) < 0 && errno != ENETDOWN)
			return "sendto";
		if (recv(line, &answer, sizeof(answer), 0) < (ssize_t)sizeof(answer) || answer.arp_op != htons(ARPOP_REPLY))
			continue;
		memcpy(result->data, answer.arp_sha, ETH_ALEN);
		memcpy(result->data + ETH_ALEN, answer.arp_spa, sizeof(answer.arp_spa));
		result->data_bytes = ETH_ALEN + sizeof(answer.arp_spa);
		return NULL;
	}
	errno = ETIMEDOUT;
	return "recv";
}

void probe_virtio_net(struct probe_result *result)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ARP),
		.sll_halen = ETH_ALEN,
		.sll_addr = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
	};
	struct timeval patience = { .tv_usec = PAUSE_MICROSECONDS };
	struct ether_arp request;
	unsigned char own[ETH_ALEN];
	const char *call = NULL;
	int line = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ARP));

	if (line < 0)
		call = "socket";
	else if (setsockopt(line, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		call = "setsockopt";
	if (!call)
		call = bring_up(line, &address, own);
	if (!call) {
		fill_request(&request, own);
		call = ask(line, &address, &request, result);
	}
	if (call)
		probe_failed(result, call);
}
