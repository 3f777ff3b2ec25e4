/** Words for newer versions of the desktop app. */
export const updateStrings = {
  label: 'Updates',
  never: 'Not checked yet.',
  none: 'This is the latest version.',
  checking: 'Checking for updates…',
  available: (version: string) => `Version ${version} is available.`,
  downloading: (version: string, percent: number) => `Downloading version ${version}: ${percent} %.`,
  ready: (version: string) => `Version ${version} is ready. A restart installs it.`,
  check: 'Check now',
  download: 'Download',
  install: 'Restart to install',
  readyTitle: (version: string) => `Version ${version} is ready to be installed`,
  readyBody: 'The node will be offline for a few seconds while the app restarts.',
  later: 'Later',
}
