// SPDX-License-Identifier: GPL-2.0-only
/** Mutants that no test can notice, by keyOf(), each with the reason why it is equivalent. */
export const accepted: ReadonlyMap<string, string> = new Map<string, string>([
  // The invariants, and the walk.
  [
    'src/diff/invariants/aliases-agree.ts aliasesAgree: 1 => 2',
    'of the number that a comparison gives, only the sign matters',
  ],
  [
    'src/diff/invariants/aliases-agree.ts aliasesAgree: a < b => (a) <= (b)',
    'the keys of a map differ',
  ],
  [
    'src/diff/invariants/aliases-agree.ts aliasesOf: userRegime => true',
    'checkpointContext() gives a regime to all user tables; the type alone does not say so',
  ],
  [
    'src/diff/invariants/aliases-agree.ts aliasesOf: 2n => 3n',
    'no address is above 2^64, or any end that is higher still',
  ],
  [
    'src/diff/invariants/aliases-agree.ts aliasesOf: 64n => 65n',
    'no address is above 2^64, or any end that is higher still',
  ],
  [
    'src/diff/invariants/aliases-agree.ts aliasesOf: capture.ttbr0 => true',
    'checkpointContext() gives a regime to user tables alone; the type alone does not say so',
  ],
  [
    'src/diff/invariants/guest-dump.ts disagreements: first === undefined => false',
    'without a border the loop over the rest has nothing to do; the type alone does not say so',
  ],
  [
    'src/diff/invariants/guest-dump.ts guestDump: 1 => 2',
    'of the number that a comparison gives, only the sign matters',
  ],
  ['src/diff/invariants/guest-dump.ts guestDump: a < b => (a) <= (b)', 'the keys of a map differ'],
  [
    'src/diff/invariants/guest-dump.ts steadyRanges: hole.end <= start => (hole.end) < (start)',
    'a hole that ends where the range begins gives a part of no bytes',
  ],
  [
    'src/diff/invariants/guest-dump.ts steadyRanges: hole.start >= range.end => (hole.start) > (range.end)',
    'a hole that begins where the range ends leaves a part of less than no bytes behind it',
  ],
  [
    'src/diff/invariants/guest-dump.ts stretchesIn: start < end => (start) <= (end)',
    'disagreements() skips a stretch of no bytes',
  ],
  [
    'src/diff/invariants/guest-dump.ts stretchesIn: start < end => true',
    'disagreements() skips a stretch of less than no bytes: it takes longer',
  ],
  [
    'src/diff/invariants/guest-dump.ts stretchesIn: stretch.end > range.end => (stretch.end) >= (range.end)',
    'of two equal addresses either is the lower one',
  ],
  [
    'src/diff/invariants/guest-dump.ts stretchesIn: stretch.start < range.start => (stretch.start) <= (range.start)',
    'of two equal addresses either is the higher one',
  ],
  [
    'src/diff/invariants/no-splat.ts splatFindings: log.get(id) ?? [] => (log.get(id))',
    'sort() puts undefined last, so that the other log counts; the type alone does not say so',
  ],
  [
    'src/diff/invariants/no-user-access.ts noUserAccess: el0.write => false',
    'no permission lets EL0 write what it cannot read',
  ],
  [
    'src/diff/invariants/sound-tables.ts malformed: 1 => 2',
    'of the number that a comparison gives, only the sign matters',
  ],
  [
    'src/diff/invariants/sound-tables.ts malformed: a < b => (a) <= (b)',
    'the keys of a map differ',
  ],
  [
    'src/diff/invariants/sound-tables.ts shared: new Set(inRegion.map(({ pa }) => pa)).size === inRegion.length => false',
    'it saves time: of different addresses no group has two',
  ],
  [
    'src/diff/invariants/tables-mapped-once.ts tablesMappedOnce: runsOnto(others, join(tables)).length === 0 => false',
    'it saves time: what maps none of the joined ranges maps none of the tables',
  ],
  [
    'src/diff/invariants/user-mappings-safe.ts userMappingsSafe: !capture.ttbr0 => false',
    'checkpointContext() gives a regime to user tables alone; the type alone does not say so',
  ],
  [
    'src/vmsa/descriptor-layout.ts descriptorLayout: 0n => 1n',
    'upper is only taken away, from bits that begin with 12',
  ],
  [
    'src/vmsa/descriptor-layout.ts descriptorLayout: 15 => 16',
    'bit 16 is nT in a block, and above the gap of a table descriptor',
  ],
  [
    'src/vmsa/descriptor-layout.ts low: 32 => 33',
    'every mask has both or neither of bits 31 and 32',
  ],
  [
    'src/vmsa/leaf-checks.ts groupFault: hi2 === undefined => false',
    'isGrouped() says no to undefined words; the type alone does not say so',
  ],
  [
    'src/vmsa/leaf-checks.ts groupFault: lo2 === undefined => false',
    'isGrouped() says no to undefined words; the type alone does not say so',
  ],
  [
    'src/vmsa/leaf-checks.ts groupFault: lo2 === undefined || hi2 === undefined => false',
    'isGrouped() says no to undefined words; the type alone does not say so',
  ],
  [
    'src/vmsa/leaf-checks.ts hardwareFlags: 0 => 1',
    'bit 0 is set in every grouped entry, so that it never differs',
  ],
  [
    'src/vmsa/regime.ts checkCompanions: 0n => 1n',
    'of TCR2_EL1 it looks at bit 4, and shows it where PIE or AIE is set',
  ],
  ['src/vmsa/regime.ts memoryAttributes: 0n => 1n', 'of TCR2_EL1 it looks at bit 4 alone'],
  [
    'src/vmsa/regime.ts locateRoot: 0 => 1',
    'no table has fewer than two entries, which are 16 bytes',
  ],
  [
    'src/vmsa/open-run.ts (at load): 0 => 1',
    'open() sets what a run has; before, nothing follows the negative offset',
  ],
  ['src/vmsa/open-run.ts (at load): 1 => 2', 'any negative offset does'],
  [
    'src/vmsa/open-run.ts (at load): 3 => 4',
    'open() sets what a run has; before, nothing follows the negative offset',
  ],
  ['src/vmsa/open-run.ts isFollowedBy: 0 => 1', 'no run is of one byte'],
  ['src/vmsa/walk.ts (at load): 1 => 2', 'any negative address is none of a group'],
  [
    'src/vmsa/walk.ts a function: first !== undefined => false',
    'it saves time: the table is read, and its entries continue the run one by one',
  ],
  [
    'src/vmsa/walk.ts a function: follows => false',
    'it saves time: the table is read, and its entries continue the run one by one',
  ],
  [
    'src/vmsa/walk.ts a function: this.#run.isFollowedBy(table, layout, first) => false',
    'it saves time: the table is read, and its entries continue the run one by one',
  ],
  [
    'src/vmsa/walk.ts skipZeroes: index < to => (index) <= (to)',
    'the scan ends at any index that is not below the number of entries',
  ],
  // src/model itself: plans, runs of leaves, decisions.
  [
    'src/model/changes.ts isHidden: needs !== undefined => true',
    'no option is called undefined: what is not there is not false',
  ],
  [
    "src/model/decisions.ts decide: typeof step !== 'string' => true",
    'a checkpoint, which is a string, decides nothing; the type alone does not say so',
  ],
  [
    'src/model/late.ts lateSteps: machine.its !== false => (machine.its) === (false)',
    'two boots that differ in it still do, and those that do not are still alike',
  ],
  [
    'src/model/late.ts tellingLate: rest.delete(scenario) => undefined',
    'what was chosen has no news, so that it is not chosen again',
  ],
  [
    'src/model/leaf-runs.ts areasWithin: (areas[last] ).start < end => ((areas[last] ).start) <= (end)',
    'an area that begins where the run ends gets a piece of no bytes, which is none',
  ],
  [
    'src/model/leaf-runs.ts areasWithin: area.end <= start => (area.end) < (start)',
    'an area that ends where the run begins gets a piece of no bytes, which is none',
  ],
  [
    'src/model/leaf-runs.ts kindsOf: found => false',
    'the kind is worked out again: it takes longer',
  ],
  [
    'src/model/leaf-runs.ts kindsOf: known.set(code, kind) => undefined',
    'the kind is worked out again: it takes longer',
  ],
  [
    'src/model/linear-map.ts (at load): 0n => 1n',
    'newTable() sets it, and nothing reads it of the root, which no descriptor leads to',
  ],
  [
    'src/model/linear-map.ts constructor: 3 => 4',
    'each table of level 3 gets an empty map of its own: it takes more memory',
  ],
  [
    'src/model/linear-map.ts constructor: level === 3 => false',
    'each table of level 3 gets an empty map of its own: it takes more memory',
  ],
  [
    'src/model/predict.ts stateInOperation: pool => true',
    'a pool that is undefined is none; the type alone does not say so',
  ],
  // The model of arch/arm64, mm and kernel.
  ['src/model/arch/arm64/mm/mmu-create.ts tableDescriptor: 0n => 1n', 'bit 0 is set in TABLE_TYPE'],
  [
    'src/model/arch/arm64/mm/pageattr.ts makeValid: 0n => 1n',
    'bit 0 is PTE_VALID, which is set after what is cleared',
  ],
  [
    'src/model/arch/arm64/mm/proc.ts (at load): 0xf0000f => 15728656',
    'no CPU has a higher variant and revision',
  ],
  [
    'src/model/arch/arm64/mm/proc.ts tcr: 0n => 1n',
    'no part that is asked for has either in its MIDR_EL1',
  ],
  [
    'src/model/arch/arm64/mm/proc.ts kpti_mk_tbl_ng: index < table.length => (index) <= (table.length)',
    'behind the last entry is none, neither a leaf nor a table',
  ],
  [
    'src/model/arch/arm64/mm/mmu-split.ts range_split_to_ptes: below.level !== 3 => true',
    'the pages that it made are not contiguous, so that there is nothing to do: it takes longer',
  ],
  [
    'src/model/arch/arm64/mm/mmu-split.ts range_split_to_ptes: 3 => 4',
    'the pages that it made are not contiguous, so that there is nothing to do: it takes longer',
  ],
  [
    'src/model/arch/arm64/mm/mmu-split.ts linear_map_split_to_ptes: 0 => 1',
    'the first leaf has more bytes than one',
  ],
  [
    'src/model/arch/arm64/mm/set-memory.ts pagesToFollow: leaf => true',
    'the kernel asks find_vm_area() first, and VM_ALLOC maps every page; the type alone does not say so',
  ],
  [
    'src/model/kernel/crash_reserve.ts placeOf: observed !== undefined => true',
    'mayLieThere() takes no place that is not a number; the type alone does not say so',
  ],
  // Descriptors as runs.
  [
    'src/vmsa/walk-runs.ts consecutive: before + entries > run.count => (before + entries) >= (run.count)',
    'a table is spelt out that need not be, with the same result',
  ],
  [
    'src/vmsa/walk-runs.ts indexAt: start <= offset => (start) < (offset)',
    'table() begins one run earlier, which has no entry of the table',
  ],
  ['src/vmsa/walk-runs.ts spell: 64 => 65', 'the high words are added modulo 2^32'],
  [
    'src/vmsa/walk-runs.ts table: (starts[at] ) < end => (starts[at]) <= (end)',
    'a run behind the table has no entry of it',
  ],
  [
    'src/vmsa/walk-runs.ts table: (starts[at] ) < end => true',
    'runs behind the table have no entries of it',
  ],
  ['src/vmsa/walk-runs.ts table: 4 => 5', 'the words are made anew instead of cleared'],
  [
    'src/vmsa/walk-runs.ts table: at < starts.length => (at) <= (starts.length)',
    'behind the last run no start is below the end',
  ],
  [
    'src/vmsa/walk-runs.ts table: at < starts.length => true',
    'behind the last run no start is below the end',
  ],
  [
    'src/vmsa/walk-runs.ts table: this.#words.length !== bytes / 4 => true',
    'the words are made anew instead of cleared',
  ],
  ['src/vmsa/walk-runs.ts table: count > 0 => (count) >= (0)', 'nothing is written for no entries'],
  ['src/vmsa/walk-runs.ts valueAt: 64 => 65', 'only the low 64 bits are used'],
  ['src/vmsa/walk.ts a function: 3 => 4', 'a copy that is not needed'],
  ['src/vmsa/walk.ts a function: table.level === 3 => false', 'a copy that is not needed'],
  ['src/vmsa/walk.ts a function: 8 => 9', 'any number tells one group from another'],
  [
    'src/vmsa/walk.ts constructor: 16 => 17',
    'bounds what a walk gone wrong may take; no kernel comes near',
  ],
  [
    'src/vmsa/walk.ts constructor: 2 => 3',
    'bounds what a walk gone wrong may take; no kernel comes near',
  ],
  [
    'src/vmsa/walk.ts constructor: 22 => 23',
    'bounds what a walk gone wrong may take; no kernel comes near',
  ],
  [
    'src/vmsa/walk.ts skipZeroes: ((words[2 * index] ) | (words[2 * index + 1] )) === 0 => false',
    'slower, with the same result',
  ],
  ['src/vmsa/walk.ts skipZeroes: index < to => false', 'slower, with the same result'],
  [
    'src/model/arch/arm64/kernel/cpufeature.ts cpuSupportsBbml: 0n => 1n',
    'neither is the number of a part that a list has',
  ],
  [
    'src/model/arch/arm64/kernel/cpufeature.ts isVulnerable: 0n => 1n',
    'neither is the number of a part that a list has',
  ],
  [
    'src/model/arch/arm64/kernel/cpufeature.ts matches: 0n => 1n',
    'neither is the number of a part that a list has',
  ],
  [
    'src/model/arch/arm64/kernel/smp.ts cpuOutcome: 0n => 1n',
    'CPU 0 never comes again, so that it is online and sets this bit',
  ],
  ['src/diff/invariants/cpus-agree.ts (at load): 64n => 65n', 'no register has more than 64 bits'],
  [
    'src/diff/invariants/user-mappings-safe.ts userMappingsSafe: !context.userRegime => false',
    'checkpointContext() gives a regime to all user tables; the type alone does not say so',
  ],
  [
    'src/model/cpu-outcome.ts (at load): 1n => 2n',
    "the boot's CPUs replace this before anybody asks who is online",
  ],
  [
    'src/model/cpu-outcome.ts (at load): false => true',
    "the boot's CPUs replace this before anybody asks what is known",
  ],
  ['src/model/late.ts lateSteps: machine.firmware => true', 'a realm always has a monitor'],
  [
    'src/model/leaf-life.ts leafAt: entry === undefined => false',
    'an index is one of its table; the type alone does not say so',
  ],
  [
    'src/model/leaf-life.ts leafAt: !below => false',
    'an entry that says TABLE has one; the type alone does not say so',
  ],
  [
    'src/model/leaf-life.ts lifeOfLeaf: leaf => true',
    'no step of a boot takes a leaf away; the type alone does not say so',
  ],
  ['src/model/linear-map.ts (at load): 1n => 2n', 'any bit above those of a descriptor serves'],
  ['src/model/linear-map.ts (at load): 64n => 65n', 'any bit above those of a descriptor serves'],
  ['src/model/linear-map.ts (at load): 2 => 3', 'a number that is neither NONE nor TABLE'],
  ['src/vmsa/descriptor.ts (at load): 2 => 3', 'together with the valid bit the mask is the same'],
  ['src/vmsa/walk-runs.ts (at load): 0 => 1', 'the first table that is asked for replaces it'],
  ['src/vmsa/walk-runs.ts (at load): 2 => 3', 'a bound of the work, far above any machine'],
  ['src/vmsa/walk-runs.ts (at load): 22 => 23', 'a bound of the work, far above any machine'],
  [
    'src/vmsa/walk-runs.ts consecutive: here === undefined => false',
    'at is undefined then, too; the type alone does not say so',
  ],
  [
    'src/vmsa/walk-runs.ts consecutive: at === undefined => false',
    'here is undefined then, too; the type alone does not say so',
  ],
  [
    'src/model/arch/arm64/mm/mmu-split.ts (at load): 1 => 2',
    'how many CPUs are online is not asked once the capabilities are final',
  ],
  // Kept as the kernel has them.
  [
    'src/model/arch/arm64/mm/mmu.ts mappable: inward.filter(({ start, end }) => start < end) => (inward)',
    'the loop over an empty range does nothing',
  ],
  [
    'src/model/arch/arm64/mm/mmu.ts mappable: start < end => (start) <= (end)',
    'the loop over an empty range does nothing',
  ],
  [
    'src/model/arch/arm64/mm/set-memory.ts __change_memory_common: change.clear !== valid.clear => false',
    'what sets no more than PTE_VALID and PTE_MAYBE_NG is makeValid() itself',
  ],
  [
    'src/model/arch/arm64/mm/mmu-split.ts force_pte_mapping: capabilitiesFinal => false',
    "who asks with final capabilities has asked for the system's first, which include the boot CPU's",
  ],
  [
    'src/model/arch/arm64/mm/mmu-split.ts split_leaf_mapping_possible: true => false',
    "who asks with final capabilities has asked for the system's first, which include the boot CPU's",
  ],
  [
    'src/model/live-registers.ts registersOfUnknown: 48 => 49',
    'only whether physical addresses have 52 bits is asked',
  ],
  ['src/model/live-registers.ts ttbrOf: 1n => 2n', 'no table begins at an odd address'],
  [
    'src/vmsa/descriptor-layout.ts span: last < first => (last) <= (first)',
    'no field has a single bit',
  ],
  [
    'src/vmsa/descriptor-layout.ts span: last < first => false',
    'last is first - 1 at least where a regime is walked',
  ],
]);
