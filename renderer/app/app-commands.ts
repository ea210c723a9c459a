/** The commands that are there on every screen. */
import { onCommand } from '../composables/commands.ts';
import { useProject } from '../stores/project.ts';
import { useResults } from '../stores/results.ts';
import { useRuns } from '../stores/runs.ts';
import { useView } from '../stores/view.ts';

export function useAppCommands(): void {
  const project = useProject();
  const runs = useRuns();
  const view = useView();
  const results = useResults();

  onCommand('project.new', () => void project.create());
  onCommand('project.open', () => void project.open());
  onCommand('project.save', () => void project.save());
  onCommand('project.saveAs', () => void project.saveAs());
  onCommand('run.start', () => void runs.start());
  onCommand('run.stop', () => void runs.stop());
  onCommand('help.keys', () => {
    view.isKeysOpen = true;
  });
  onCommand('help.about', () => {
    view.isAboutOpen = true;
  });
  // the table's own filter box takes over while it is there
  onCommand('table.filter', () => {
    if (results.details === null) return;
    view.screen = 'results';
    view.resultsPart = 'requests';
  });
}
