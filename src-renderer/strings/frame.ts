/** Words of the frame: palette, keys, dialogs. */
export const frameStrings = {
  dialog: { close: 'Close', undo: 'Undo' },
  notices: { choose: 'Choose who may use what', read: 'OK' },
  palette: {
    title: 'Go to or do anything',
    open: 'Search',
    placeholder: 'A page, model, peer, setting or action',
    none: (query: string) => `Nothing is called “${query}”.`,
    group: { page: 'Page', action: 'Action', model: 'Model', peer: 'Peer', setting: 'Setting' },
    copyUrl: 'Copy the base URL',
    theme: (name: string) => `Theme: ${name.toLowerCase()}`,
  },
  shortcuts: {
    title: 'Keyboard shortcuts',
    palette: 'Search everything',
    help: 'This list',
    search: 'Search on this page',
    page: (name: string) => `Go to ${name}`,
    close: 'Close what is open',
  },
}
