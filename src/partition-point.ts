// SPDX-License-Identifier: GPL-2.0-only
/**
 * Index of the first element of a list that does not come before something, by binary search; the
 * length of the list where all do.
 * @param comesBefore true for the elements up to there, false from there on
 */
export function partitionPoint<T>(
  list: ArrayLike<T>,
  comesBefore: (element: T) => boolean,
): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    // Between low and high, so inside the list.
    if (comesBefore(list[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}
