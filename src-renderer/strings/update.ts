/** Words for newer versions of the desktop app. */
export const updateStrings = {
  label: 'Newer version',
  never: 'Not looked for yet.',
  none: 'This is the newest version.',
  checking: 'Looking for a newer version …',
  available: (version: string) => `Version ${version} is there.`,
  downloading: (version: string, percent: number) => `Version ${version} is being downloaded: ${percent} %.`,
  ready: (version: string) => `Version ${version} is ready. It is installed by a restart.`,
  check: 'Look now',
  download: 'Download',
  install: 'Restart to install',
  readyTitle: (version: string) => `Version ${version} is ready to be installed`,
  readyBody: 'The node is away for some seconds while the app starts again.',
  later: 'Later',
}
