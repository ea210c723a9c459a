/** `blklab scenarios`: what comes with the program, as text or JSON. */
import { listScenarios } from '../scenarios/scenarios.ts';

/** Name, title and variants of each. */
export function scenariosText(): string {
  const parts = listScenarios().map(({ slug, title, about, variants }) => {
    const names = Object.keys(variants).join(', ');
    return `${slug}: ${title}\n  ${about}\n  variants: ${names}\n`;
  });
  return `${parts.join('\n')}\nRun one with: run SLUG:VARIANT, all variants of one with: run SLUG\n`;
}

export function scenariosJson(): string {
  const list = listScenarios().map(({ slug, title, about, readme, variants }) => {
    return { slug, title, about, variants: Object.keys(variants), readme };
  });
  return `${JSON.stringify(list, null, 2)}\n`;
}
