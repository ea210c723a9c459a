/** No page of ours asks for a camera, a location or anything else; whatever asks is refused. */
import electron from 'electron';

export function refusePermissions(): void {
  // Absent in a host that offers only part of Electron (the tests' stand-in).
  const session = electron.session as typeof electron.session | undefined;
  session?.defaultSession.setPermissionRequestHandler((_contents, _permission, answer) => {
    answer(false);
  });
  session?.defaultSession.setPermissionCheckHandler(() => false);
}
