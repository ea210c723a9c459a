/** What a data run (`run.data` = "verify") cannot do. */
import type { ParsedEncryption } from './definition-crypto.ts';
import type { Problem } from './problem.ts';
import { pointerPart } from './validate-encryption.ts';

export interface DataContext {
  readonly encryption: ParsedEncryption | undefined;
  /** Logical block of the device. */
  readonly blockBytes: number;
}

/** Versions are told apart by logical blocks, so a data unit must lie within one: a larger one could hold parts of several writes. */
export function checkData({ encryption, blockBytes }: DataContext, problems: Problem[]): void {
  for (const [name, { dataUnitSize }] of Object.entries(encryption?.jobs ?? {})) {
    if (dataUnitSize <= blockBytes) continue;
    problems.push({
      severity: 'error',
      path: `/encryption/jobs/${pointerPart(name)}/dataUnitSize`,
      code: 'data-unit-size',
      message: `a data run checks logical blocks of ${blockBytes} bytes: data units must not be larger, not ${dataUnitSize}`,
      hint: 'use smaller data units, or set /run/data to "none"',
    });
  }
}
