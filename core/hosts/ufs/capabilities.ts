/** Reset values of the capability registers, from what a controller is built with. @source inline-crypto.md 3.1, 3.2, 3.6 */
import type { UfsConfig, UfsGeneration } from './config.ts';

/** UFSHCI version of the controllers that come with a device generation. @source inline-crypto.md 3.1 VER */
const VERSION: Readonly<Record<UfsGeneration, number>> = {
  'ufs-2.1': 0x0210,
  'ufs-3.0': 0x0300,
  'ufs-3.1': 0x0300,
  'ufs-4.0': 0x0400,
};
/** Outstanding RTTs, 0-based. @source CAP 0x43870F1F of one core: 15 */
const NORTT = 0x0f;
/** Task management slots, 0-based. @source the same: 7 */
const NUTMRS = 7;
const CAP_AUTOH8 = 1 << 23;
const CAP_64AS = 1 << 24;
const CAP_CS = 1 << 28;
const CAP_LSDBS = 1 << 29;
const CAP_MCQS = 1 << 30;
/** Crypto configurations at 0x10 × 0x100, queue configurations at 0x18 × 0x200. @source one UFSHCI 4.0 core: CCAP 0x10003F02, MCQCAP 0x1018070F */
const CFGPTR = 0x10;
const QCFGPTR = 0x18;

/** Values by register name. */
export function capabilityValues(config: UfsConfig): Readonly<Record<string, number>> {
  const { keyslots, capabilities } = config.crypto;
  const mcq = config.mcqQueues > 0;
  const slots = mcq ? config.mcqDepth : config.nutrs - 1;
  let cap = (NUTMRS << 16) | CAP_AUTOH8 | CAP_64AS;
  cap |= mcq ? (slots & 0xff) | CAP_MCQS | CAP_LSDBS : slots | (NORTT << 8);
  if (keyslots > 0) cap |= CAP_CS;
  const values: Record<string, number> = { CAP: cap >>> 0, VER: VERSION[config.generation] };
  if (mcq) values.MCQCAP = (0x10 << 24) | (QCFGPTR << 16) | (1 << 8) | (config.mcqQueues - 1);
  if (keyslots > 0) {
    values.CCAP = ((CFGPTR << 24) | ((keyslots - 1) << 8) | capabilities.length) >>> 0;
    capabilities.forEach((word, i) => (values[`CRYPTOCAP[${i}]`] = word));
  }
  return values;
}
