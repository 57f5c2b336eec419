/** Kernel parameters that say what a scenario says elsewhere, where the model reads it. */
const elsewhere: [parameter: RegExp, field: string][] = [
  [/^mem=/, 'machine.memory'],
  [/^((maxcpus|nr_cpus)=|nosmp$)/, 'machine.cpus and machine.late'],
  // Overrides of ID registers: arch/arm64/kernel/pi/idreg-override.c.
  [/^(arm64|arm64_sw|id_aa64\w+)\./, 'machine.idFields'],
  [/^nokaslr$/, 'kaslr'],
];

/** The field of a scenario that stands for a kernel parameter; undefined where the parameter may stand. */
export function fieldInstead(parameter: string): string | undefined {
  return elsewhere.find(([pattern]) => pattern.test(parameter))?.[1];
}
