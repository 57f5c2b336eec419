// SPDX-License-Identifier: GPL-2.0-only
/** What a commit of the series is there for. */
export type Role = 'neutral' | 'culprit' | 'does not build' | 'does not boot' | 'repair';

/** A change to one file below arch/arm64/mm: each text occurs there once. */
export interface Change {
  subject: string;
  body: string;
  role: Role;
  file: string;
  edits: [from: string, to: string][];
}

const mmu = 'arch/arm64/mm/mmu.c';
const pageattr = 'arch/arm64/mm/pageattr.c';
const context = 'arch/arm64/mm/context.c';

const textAlias = `	update_mapping_prot(__pa_symbol(_text), (unsigned long)lm_alias(_text),
			    (unsigned long)__init_begin - (unsigned long)_text,
			    PAGE_KERNEL_RO);

	/*
	 * Register a PM notifier`;

/**
 * Changes on the main line, in order: one breaks a rule, one before it does not build, one after it
 * does not boot.
 */
export const mainLine: Change[] = [
  {
    subject: 'arm64: mm: name the flags of mappings that are made of pages',
    body: 'Blocks and contiguous ranges are always refused together.',
    role: 'neutral',
    file: mmu,
    edits: [
      [
        '#define NO_EXEC_MAPPINGS	BIT(2)	/* assumes FEAT_HPDS is not used */\n',
        `#define NO_EXEC_MAPPINGS	BIT(2)	/* assumes FEAT_HPDS is not used */

#define PAGE_MAPPINGS		(NO_BLOCK_MAPPINGS | NO_CONT_MAPPINGS)
`,
      ],
      ['		flags = NO_BLOCK_MAPPINGS | NO_CONT_MAPPINGS;', '		flags = PAGE_MAPPINGS;'],
      [
        `can_set_direct_map();

	if (force_pte_mapping())
		flags |= NO_BLOCK_MAPPINGS | NO_CONT_MAPPINGS;`,
        `can_set_direct_map();

	if (force_pte_mapping())
		flags |= PAGE_MAPPINGS;`,
      ],
    ],
  },
  {
    subject: 'arm64: mm: pageattr: no else after return in set_memory_valid()',
    body: 'The other branch has returned.',
    role: 'neutral',
    file: pageattr,
    edits: [
      [
        `	else
		return __change_memory_common(addr, PAGE_SIZE * numpages,
					__pgprot(PTE_PRESENT_INVALID),
					__pgprot(PTE_PRESENT_VALID_KERNEL));`,
        `
	return __change_memory_common(addr, PAGE_SIZE * numpages,
				      __pgprot(PTE_PRESENT_INVALID),
				      __pgprot(PTE_PRESENT_VALID_KERNEL));`,
      ],
    ],
  },
  {
    subject: 'arm64: mm: pageattr: set a PTE in one statement',
    body: 'No need to go through a variable twice.',
    role: 'neutral',
    file: pageattr,
    edits: [
      [
        `	pte_t val = __ptep_get(pte);

	val = __pte(set_pageattr_masks(pte_val(val), walk));
	__set_pte(pte, val);
`,
        `	pte_t old = __ptep_get(pte);

	__set_pte(pte, __pte(set_pageattr_masks(pte_val(old), walk)));
`,
      ],
    ],
  },
  {
    subject: 'arm64: mm: name the lock of splits by what it protects',
    body: 'It serializes splits of the linear map, not of any page table. (One use was forgotten.)',
    role: 'does not build',
    file: mmu,
    edits: [
      ['static DEFINE_MUTEX(pgtable_split_lock);', 'static DEFINE_MUTEX(linear_map_split_lock);'],
      [
        '	mutex_lock(&pgtable_split_lock);\n	lazy_mmu_mode_enable();',
        '	mutex_lock(&linear_map_split_lock);\n	lazy_mmu_mode_enable();',
      ],
      [
        `	mutex_lock(&pgtable_split_lock);
	ret = range_split_to_ptes(start, end, GFP_PGTABLE_KERNEL);
	mutex_unlock(&pgtable_split_lock);`,
        `	mutex_lock(&linear_map_split_lock);
	ret = range_split_to_ptes(start, end, GFP_PGTABLE_KERNEL);
	mutex_unlock(&linear_map_split_lock);`,
      ],
    ],
  },
  {
    subject: 'arm64: mm: finish the renaming of the lock of splits',
    body: 'split_kernel_leaf_mapping() released it by its old name.',
    role: 'repair',
    file: mmu,
    edits: [['	mutex_unlock(&pgtable_split_lock);', '	mutex_unlock(&linear_map_split_lock);']],
  },
  {
    subject: 'arm64: mm: name the bounds of the alias of the text',
    body: 'mark_linear_text_alias_ro() computes them in the middle of a call. (The read-only data behind the text is lost.)',
    role: 'culprit',
    file: mmu,
    edits: [
      [
        textAlias,
        `	unsigned long start = (unsigned long)lm_alias(_text);
	unsigned long end = (unsigned long)lm_alias(_etext);

	update_mapping_prot(__pa_symbol(_text), start, end - start,
			    PAGE_KERNEL_RO);

	/*
	 * Register a PM notifier`,
      ],
    ],
  },
  {
    subject: 'arm64: mm: context: do not go on with too few ASIDs',
    body: 'A warning is missed; the first rollover would hang. (The comparison is the wrong way round.)',
    role: 'does not boot',
    file: context,
    edits: [
      [
        '	WARN_ON(num_available_asids - 1 <= num_possible_cpus());',
        '	BUG_ON(num_available_asids - 1 >= num_possible_cpus());',
      ],
    ],
  },
  {
    subject: 'arm64: mm: context: compare the number of ASIDs the right way round',
    body: 'There must be more of them than CPUs.',
    role: 'repair',
    file: context,
    edits: [
      [
        '	BUG_ON(num_available_asids - 1 >= num_possible_cpus());',
        '	BUG_ON(num_available_asids - 1 <= num_possible_cpus());',
      ],
    ],
  },
  {
    subject: 'arm64: mm: count entries in the loops that need the count',
    body: 'A counter that nothing else looks at lives in its loop.',
    role: 'neutral',
    file: mmu,
    edits: [
      [
        `	int i;

	ptep = PTR_ALIGN_DOWN(ptep, sizeof(*ptep) * CONT_PTES);
	for (i = 0; i < CONT_PTES; i++, ptep++)`,
        `	ptep = PTR_ALIGN_DOWN(ptep, sizeof(*ptep) * CONT_PTES);
	for (int i = 0; i < CONT_PTES; i++, ptep++)`,
      ],
      [
        `	int i;

	pmdp = PTR_ALIGN_DOWN(pmdp, sizeof(*pmdp) * CONT_PMDS);
	for (i = 0; i < CONT_PMDS; i++, pmdp++)`,
        `	pmdp = PTR_ALIGN_DOWN(pmdp, sizeof(*pmdp) * CONT_PMDS);
	for (int i = 0; i < CONT_PMDS; i++, pmdp++)`,
      ],
    ],
  },
  {
    subject: 'arm64: mm: one check for addresses below the kernel',
    body: 'create_mapping_noalloc() and update_mapping_prot() differ in a word of their message only.',
    role: 'neutral',
    file: mmu,
    edits: [
      [
        `/*
 * This function can only be used to modify existing table entries,
 * without allocating new levels of table.`,
        `static bool below_kernel(const char *what, phys_addr_t phys, unsigned long virt)
{
	if (virt >= PAGE_OFFSET)
		return false;
	pr_warn("BUG: not %s mapping for %pa at 0x%016lx - outside kernel range\\n",
		what, &phys, virt);
	return true;
}

/*
 * This function can only be used to modify existing table entries,
 * without allocating new levels of table.`,
      ],
      [
        `	if (virt < PAGE_OFFSET) {
		pr_warn("BUG: not creating mapping for %pa at 0x%016lx - outside kernel range\\n",
			&phys, virt);
		return;
	}
`,
        `	if (below_kernel("creating", phys, virt))
		return;
`,
      ],
      [
        `	if (virt < PAGE_OFFSET) {
		pr_warn("BUG: not updating mapping for %pa at 0x%016lx - outside kernel range\\n",
			&phys, virt);
		return;
	}
`,
        `	if (below_kernel("updating", phys, virt))
		return;
`,
      ],
    ],
  },
];

/**
 * Changes of a topic branch that leaves the main line after its third commit and is merged at the
 * end.
 */
export const topicBranch: Change[] = [
  {
    subject: 'arm64: mm: pgd: allocate with the flags as they are',
    body: 'They are used once.',
    role: 'neutral',
    file: 'arch/arm64/mm/pgd.c',
    edits: [
      ['	gfp_t gfp = GFP_PGTABLE_USER;\n\n', ''],
      [
        '		return kmem_cache_alloc(pgd_cache, gfp);',
        '		return kmem_cache_alloc(pgd_cache, GFP_PGTABLE_USER);',
      ],
    ],
  },
  {
    subject: 'arm64: mm: flush: compute the bounds of a folio once',
    body: 'Its address is asked for twice.',
    role: 'neutral',
    file: 'arch/arm64/mm/flush.c',
    edits: [
      [
        `		sync_icache_aliases((unsigned long)folio_address(folio),
				    (unsigned long)folio_address(folio) +
					    folio_size(folio));
`,
        `		unsigned long start = (unsigned long)folio_address(folio);

		sync_icache_aliases(start, start + folio_size(folio));
`,
      ],
    ],
  },
  {
    subject: 'arm64: mm: init: one condition in pfn_is_map_memory()',
    body: 'A PFN that does not survive the conversion maps no memory.',
    role: 'neutral',
    file: 'arch/arm64/mm/init.c',
    edits: [
      [
        `	if (PHYS_PFN(addr) != pfn)
		return 0;

	return memblock_is_map_memory(addr);`,
        '	return PHYS_PFN(addr) == pfn && memblock_is_map_memory(addr);',
      ],
    ],
  },
];

/** Where the topic branch leaves the main line: after so many commits. */
export const branchPoint = 3;

/** On top of the merge. */
export const afterMerge: Change[] = [
  {
    subject: "arm64: mm: map the aliases of the kernel's image in a function of their own",
    body: 'map_mem() is long enough.',
    role: 'neutral',
    file: mmu,
    edits: [
      [
        `static void __init map_mem(void)
{`,
        `/* The aliases of text and data come first, so that no block begins inside of them. */
static void __init map_kernel_aliases(int flags)
{
	__map_memblock(__pa_symbol(_text), __pa_symbol(__init_begin),
		       pgprot_tagged(PAGE_KERNEL), flags);
	__map_memblock(__pa_symbol(__init_end), __pa_symbol(__bss_stop),
		       pgprot_tagged(PAGE_KERNEL), flags);
}

static void __init map_mem(void)
{`,
      ],
      [
        `	phys_addr_t kernel_start = __pa_symbol(_text);
	phys_addr_t init_begin = __pa_symbol(__init_begin);
	phys_addr_t init_end = __pa_symbol(__init_end);
	phys_addr_t kernel_end = __pa_symbol(__bss_stop);
	phys_addr_t start, end;
	int flags = NO_EXEC_MAPPINGS;`,
        '	phys_addr_t start, end;\n	int flags = NO_EXEC_MAPPINGS;',
      ],
      [
        `	__map_memblock(kernel_start, init_begin, pgprot_tagged(PAGE_KERNEL),
		       flags);

	/* Map the kernel data/bss so it can be remapped later */
	__map_memblock(init_end, kernel_end, pgprot_tagged(PAGE_KERNEL),
		       flags);
`,
        '	map_kernel_aliases(flags);\n',
      ],
    ],
  },
];
