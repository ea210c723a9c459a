/** The renderer's boot list: theme, connection, stores, topics, window. */
import { createPinia } from 'pinia';
import { createApp } from 'vue';
import { createClient, type RpcClient } from '../../core/contract/rpc.ts';
import { t } from '../locales/words.ts';
import { provideClient } from '../stores/client.ts';
import { useEditor } from '../stores/editor.ts';
import { useExplorer } from '../stores/explorer.ts';
import { useNotices } from '../stores/notices.ts';
import { useProject } from '../stores/project.ts';
import { useRuns } from '../stores/runs.ts';
import { useView } from '../stores/view.ts';
import { runCommand } from '../composables/commands.ts';
import '../theme/tokens.css';
import '../theme/base.css';
import '../theme/stages.css';
import App from './App.vue';
import { openPipe } from './connect.ts';

async function boot(): Promise<void> {
  const pinia = createPinia();
  const app = createApp(App).use(pinia);
  useView(pinia); // the theme, before anything is painted
  const pipe = await openPipe();
  pipe.onClose?.(() => useNotices(pinia).add('error', t('connection.lost'), t('connection.lostNext')));
  const client = createClient(pipe);
  provideClient(client);
  listen(client);
  await Promise.all([useProject().load(), useEditor().loadSchema(), useExplorer().load()]);
  app.mount('#app');
  document.body.dataset['ready'] = 'true';
}

/** What main tells without being asked. */
function listen(client: RpcClient): void {
  const project = useProject();
  const explorer = useExplorer();
  const runs = useRuns();
  const notices = useNotices();
  client.on('project/changed', (state) => void notices.attempt(() => project.changedTo(state)));
  client.on('explorer/changed', () => void notices.attempt(() => explorer.load()));
  client.on('run/progress', (progress) => runs.onProgress(progress));
  client.on('run/ended', (end) => runs.onEnded(end));
  client.on('app/closeRequested', ({ running }) => void project.answerClose(running));
  client.on('app/command', ({ id }) => void runCommand(id));
}

boot().catch((error: unknown) => {
  const words = document.createElement('p');
  words.textContent = `${t('connection.none')} ${error instanceof Error ? error.message : ''}`;
  words.setAttribute('role', 'alert');
  document.body.append(words);
});
