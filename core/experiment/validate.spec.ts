/** Validation beyond single rules: job files and what comes out of a good definition. The rules are in validate-rules.spec.ts. */
import { describe, expect, it } from 'vitest';
import type { Problem } from './problem.ts';
import { definitionOf, problemsOf } from './testing.ts';
import { defaultDefinition, validateDefinition } from './validate.ts';

describe('problems of a job file', () => {
  const errors = (fio: string): readonly Problem[] => problemsOf(definitionOf({ workload: { fio } }));

  it('carry the line, what is allowed and a suggestion', () => {
    const [value, option] = errors('[read]\nrw=raed\ndirect=1\nblocksze=4k\n');
    expect(value).toMatchObject({ path: '/workload/fio', line: 2 });
    expect(value.hint).toContain('did you mean read?');
    expect(option).toMatchObject({ path: '/workload/fio', line: 4, hint: 'did you mean blocksize?' });
  });

  it('name the job by the line of its section', () => {
    const [problem] = errors('[a]\nrw=read\ndirect=1\n\n[b]\nrw=read\ndirect=1\nbs=512\n');
    expect(problem.line).toBe(5);
  });

  it('are warnings where fio would run it and we only differ', () => {
    const { problems, experiment } = validateDefinition(definitionOf({ workload: { fio: '[read]\nrw=read\n' } }));
    expect(problems).toMatchObject([{ severity: 'warning', line: 1, hint: 'write direct=1' }]);
    expect(experiment?.jobs).toHaveLength(1);
  });

  it('come from the file named, with its name for included ones', () => {
    const files: Record<string, string> = { 'a.fio': '[read]\ninclude b.inc\n', 'b.inc': 'rw=raed\n' };
    const definition = definitionOf({ workload: { fioFile: 'a.fio' } });
    const { problems } = validateDefinition(definition, { readFile: (path) => files[path] });
    const [problem] = problems.filter((p) => p.severity === 'error');
    expect(problem).toMatchObject({ path: '/workload/fioFile', file: 'b.inc', line: 1 });
  });

  it('say so when the file cannot be read', () => {
    const definition = definitionOf({ workload: { fioFile: 'gone.fio' } });
    const { problems } = validateDefinition(definition, { readFile: () => undefined });
    expect(problems).toMatchObject([{ path: '/workload/fioFile', message: 'gone.fio: cannot be read' }]);
  });
});

describe('a valid definition', () => {
  it('comes out in base units, with defaults', () => {
    const { experiment } = validateDefinition(
      definitionOf({
        device: { kind: 'ufs', capacity: '1GiB', power: { gateAfter: '1.5ms' }, host: { generation: 'ufs-2.1' } },
      }),
    );
    expect(experiment).toMatchObject({
      name: 'Untitled',
      seed: 1,
      machine: { profile: 'phone-a76', cpus: 4 },
      device: { capacity: 1024 ** 3, logicalBlockSize: 4096, power: { gateAfter: 1_500_000, ungate: 200_000 } },
      queue: { scheduler: 'none', timeout: 30_000_000_000 },
      run: { detail: 'requests', warmup: 0, repeats: 1, check: true },
    });
  });

  it('takes overrides of costs and flash, and leaves the rest of the profile', () => {
    const base = validateDefinition(definitionOf({})).experiment;
    const { experiment } = validateDefinition({
      ...definitionOf({ device: { kind: 'ufs', media: { overrides: { timing: { readNs: 12_345 } } } } }),
      machine: { costs: { wakeNs: '2us' }, idleStates: 'none' },
    });
    const withoutWake = { ...base?.machine.costs, wakeNs: 2000, idleStates: [] };
    expect(experiment?.machine.costs).toEqual(withoutWake);
    expect(experiment?.device).toMatchObject({ media: { name: 'ufs-3.1-tlc', timing: { readNs: 12_345 } } });
  });

  it('is the default one', () => {
    expect(validateDefinition(defaultDefinition()).problems).toEqual([]);
  });

  it('survives a structured clone unchanged: it is plain data', () => {
    const { experiment } = validateDefinition(defaultDefinition());
    expect(structuredClone(experiment)).toEqual(experiment);
  });
});
