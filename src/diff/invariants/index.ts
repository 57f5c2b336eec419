// SPDX-License-Identifier: GPL-2.0-only
import type { BootInvariant, Invariant } from '../context.ts';
import { accessFlagSet } from './access-flag.ts';
import { aliasesAgree } from './aliases-agree.ts';
import { cpusAgree } from './cpus-agree.ts';
import { directMapPromise } from './direct-map-promise.ts';
import { globalBit } from './global-bit.ts';
import { guestDump } from './guest-dump.ts';
import { imageInPlace } from './image-in-place.ts';
import { kernelTextReadOnly, linearTextReadOnly } from './kernel-text-read-only.ts';
import { linearMapMemoryType } from './linear-map-memory-type.ts';
import { linearMapNotExecutable } from './linear-map-not-executable.ts';
import { noExternalAbort } from './no-external-abort.ts';
import { noSplat } from './no-splat.ts';
import { noUserAccess } from './no-user-access.ts';
import { ramMappedOnce } from './ram-mapped-once.ts';
import { ripasAgrees } from './ripas-agrees.ts';
import { secretPagesInvalid } from './secret-pages-invalid.ts';
import { innerShareableMemory } from './shareability.ts';
import { soundTables } from './sound-tables.ts';
import { tablesMappedOnce } from './tables-mapped-once.ts';
import { translationControls } from './translation-controls.ts';
import { userMappingsSafe } from './user-mappings-safe.ts';
import { writeBackIsRam } from './write-back-is-ram.ts';
import { writeXorExecute } from './write-xor-execute.ts';

/** Every rule about a checkpoint, in the order in which findings are reported. */
export const invariants: readonly Invariant[] = [
  soundTables,
  translationControls,
  cpusAgree,
  ramMappedOnce,
  imageInPlace,
  writeXorExecute,
  linearMapNotExecutable,
  noUserAccess,
  kernelTextReadOnly,
  tablesMappedOnce,
  userMappingsSafe,
  linearMapMemoryType,
  aliasesAgree,
  writeBackIsRam,
  innerShareableMemory,
  accessFlagSet,
  globalBit,
  directMapPromise,
  secretPagesInvalid,
  ripasAgrees,
  noExternalAbort,
  guestDump,
];

/** Those that need no symbol of the kernel: the tables, and the memory that memblock has, are enough. */
export const invariantsOfTables: readonly Invariant[] = [
  soundTables,
  ramMappedOnce,
  writeXorExecute,
  linearMapNotExecutable,
  noUserAccess,
  linearMapMemoryType,
  aliasesAgree,
  writeBackIsRam,
  innerShareableMemory,
  accessFlagSet,
  globalBit,
];

/** Those that ask for nothing that the kernel's own dump of its tables does not show. */
export const invariantsOfDump: readonly Invariant[] = [
  ramMappedOnce,
  writeXorExecute,
  linearMapNotExecutable,
  noUserAccess,
  linearTextReadOnly,
  linearMapMemoryType,
  innerShareableMemory,
  accessFlagSet,
  globalBit,
];

/** Every rule about a whole boot. */
export const bootInvariants: readonly BootInvariant[] = [noSplat];
