import { describe, expect, it } from 'vitest';
import { validateDefinition } from './validate.ts';

describe('a definition that the schema refuses', () => {
  it('is still checked beyond the schema, part by part, so that every problem shows at once', () => {
    const { experiment, problems } = validateDefinition({
      format: 1,
      machine: { costs: { wakeN: 1 } },
      device: { kind: 'ufs', capcity: 3 },
      workload: { fio: '[a]\nrw=red\niodpth=3\n' },
    });
    expect(experiment).toBeUndefined();
    const errors = problems
      .filter((p) => p.severity === 'error')
      .map((p) => `${p.path}${p.line === undefined ? '' : `:${p.line}`}`);
    expect(errors).toEqual(['/device/capcity', '/machine/costs/wakeN', '/workload/fio:2', '/workload/fio:3']);
  });

  it('never throws, whatever it is', () => {
    for (const junk of [null, undefined, 3, 'x', [], { workload: null }, { device: [] }, { machine: { costs: [] } }]) {
      expect(validateDefinition(junk).problems.length).toBeGreaterThan(0);
    }
  });
});
