/**
 * The entry of the fio room: a job file's text in, resolved jobs and every problem out. Pure; nothing is run here.
 *
 * grammar (`parse.ts`, `substitute.ts`) → options and values (`settings.ts` over the tables of `options*.ts`, readers in
 * `values.ts`, `numbers.ts`, `lists.ts`) → job (`resolve.ts`, `checks.ts`).
 */
import { checkFile, checkJob } from './checks.ts';
import { IssueList, type FioIssue } from './issues.ts';
import type { FioJob } from './job.ts';
import { DEFAULT_FILE_NAME, parseSections, type FioSources } from './parse.ts';
import { resolveJob } from './resolve.ts';
import { interpretSections, type SectionSettings } from './settings.ts';

export { describe } from './describe.ts';
export type { FioIssue, FioIssueCode } from './issues.ts';
export * from './job.ts';
export type { FioSources } from './parse.ts';
export { DEFAULT_KEYWORDS, type FioKeywords } from './substitute.ts';

export interface FioResult {
  /** One per job section, in file order; empty when any issue is an error. */
  readonly jobs: readonly FioJob[];
  /** Errors and warnings in line order. */
  readonly issues: readonly FioIssue[];
}

/** Reads a fio job file. Never throws on any text. */
export function parseFio(text: string, sources: FioSources = {}): FioResult {
  const fileName = sources.fileName ?? DEFAULT_FILE_NAME;
  const issues = new IssueList();
  const sections = interpretSections(parseSections(text, sources, issues), issues);
  const jobs = resolveJobs(
    sections.filter(({ section }) => !section.isGlobal),
    issues,
  );
  if (jobs.length === 0 && !issues.hasErrors) {
    issues.error({ file: fileName, line: 1 }, 'no-jobs', 'the file has no job', 'add a [section] that is not [global]');
  }
  checkFile(jobs, issues);
  return { jobs: issues.hasErrors ? [] : jobs, issues: issues.sorted(fileName) };
}

function resolveJobs(sections: readonly SectionSettings[], issues: IssueList): FioJob[] {
  const jobs: FioJob[] = [];
  for (const settings of sections) {
    const job = resolveJob(settings, jobs.at(-1));
    checkJob(job, settings, jobs, issues);
    jobs.push(job);
  }
  return jobs;
}
