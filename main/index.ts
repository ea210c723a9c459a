/**
 * Electron main, as a list of what happens at start: one instance, scheme, project, window, menu, pipe; and what happens at the end.
 */
import electron, { app, Menu, type BrowserWindow } from 'electron';
import { pickDirectory, pickOpen, pickSave } from './dialogs/native-dialogs.ts';
import { connect } from './ipc/connect.ts';
import { menuTemplate } from './menus/menu.ts';
import { createServices } from './services.ts';
import { projectArgument } from './windows/arguments.ts';
import { announceAppScheme, serveAppScheme } from './windows/app-protocol.ts';
import { askBeforeClose, createMainWindow, loadPage, showTitle, windowPipe } from './windows/main-window.ts';
import { refusePermissions } from './windows/permissions.ts';
import { Workbench, type FacePorts } from './workbench.ts';

/** The window, once there is one: the services' native side goes to it. */
let window: BrowserWindow | undefined;
let closeForGood: () => void = () => undefined;
/** The user has said what becomes of unsaved changes. A window that went without being asked leaves them for the next start. */
let isAnswered = false;

/** macOS hands a double-clicked project over as an event, which may come before anything else is there. */
let fileToOpen: string | undefined;
let openProjectFile = (path: string): void => {
  fileToOpen = path;
};

const face: FacePorts = {
  kind: 'electron',
  pickOpen: () => (window === undefined ? Promise.resolve(null) : pickOpen(window)),
  pickSave: (suggested) => (window === undefined ? Promise.resolve(null) : pickSave(window, suggested)),
  pickDirectory: () => (window === undefined ? Promise.resolve(null) : pickDirectory(window)),
  closeWindow: () => {
    isAnswered = true;
    // after the answer has gone out to the page
    setImmediate(closeForGood);
    return true;
  },
};

async function boot(): Promise<void> {
  await app.whenReady();
  const appUrl = serveAppScheme();
  refusePermissions();
  const workbench = await startWorkbench(fileToOpen ?? projectArgument(process.argv));
  const main = createMainWindow(workbench.settings, displays());
  window = main;
  closeForGood = askBeforeClose(main, workbench);
  Menu.setApplicationMenu(
    Menu.buildFromTemplate(menuTemplate(process.platform, (id) => workbench.emit('app/command', { id }))),
  );
  connect(windowPipe(main), workbench, createServices(workbench));
  workbench.listen((topic) => {
    if (topic === 'project/changed' && !main.isDestroyed()) showTitle(main, workbench);
  });
  showTitle(main, workbench);
  openProjectFile = (path) => void comeForward(main, workbench, path);
  app.on('second-instance', (_event, argv, folder) => void comeForward(main, workbench, projectArgument(argv, folder)));
  app.on('window-all-closed', () => {
    void workbench.close(!isAnswered).finally(() => {
      app.quit();
    });
  });
  await loadPage(main, appUrl);
}

/** A project that cannot be opened is no reason not to start: say why, and start with a new one. */
async function startWorkbench(project: string | undefined): Promise<Workbench> {
  const userFolder = app.getPath('userData');
  try {
    return await Workbench.start({ face, userFolder, project });
  } catch (error) {
    if (project === undefined) throw error;
    electron.dialog.showErrorBox('blklab', error instanceof Error ? error.message : String(error));
    return Workbench.start({ face, userFolder, project: undefined });
  }
}

function displays(): readonly electron.Rectangle[] {
  const screen = electron.screen as typeof electron.screen | undefined;
  return screen?.getAllDisplays().map((display) => display.workArea) ?? [];
}

/** A second start hands its file to this instance. It is opened only when nothing would be lost. */
async function comeForward(main: BrowserWindow, workbench: Workbench, project: string | undefined): Promise<void> {
  if (main.isMinimized()) main.restore();
  main.focus();
  if (project === undefined) return;
  if (workbench.state.dirty || workbench.queue.isBusy) {
    const message = `${project} was not opened: the open project has unsaved changes, or a run is in progress.`;
    await electron.dialog.showMessageBox(main, { message });
    return;
  }
  try {
    await workbench.replaceProject(() => workbench.project.open(project));
  } catch (error) {
    electron.dialog.showErrorBox('blklab', error instanceof Error ? error.message : String(error));
  }
}

if (app.requestSingleInstanceLock()) {
  app.on('open-file', (event, path) => {
    event.preventDefault();
    openProjectFile(path);
  });
  announceAppScheme();
  boot().catch((error: unknown) => {
    electron.dialog.showErrorBox('blklab could not start', error instanceof Error ? error.message : String(error));
    app.exit(1);
  });
} else {
  app.quit();
}
