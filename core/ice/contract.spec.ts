/** The keyslot laws with the inline crypto engine as driver, in each of its modes. */
import { describe, it } from 'vitest';
import { KEYSLOT_LAWS } from '../crypto/profile/contract.ts';
import type { IceOptions } from './ice.ts';
import { iceDriver } from './testing.ts';

const MODES: [string, IceOptions][] = [
  ['raw keys by blocking calls', {}],
  ['raw keys by atomic calls', { scm: { mode: 'atomic' } }],
  ['wrapped keys, key manager 1', { ice: { useWrappedKeys: true, hwkm: 1 } }],
  ['wrapped keys, key manager 2', { ice: { useWrappedKeys: true, hwkm: 2 } }],
];

describe.each(MODES)('keyslots of the engine with %s', (_mode, options) => {
  it.each(KEYSLOT_LAWS.map((law) => [law.name, law] as const))('%s', (_name, law) => {
    law.check(iceDriver(options));
  });
});
