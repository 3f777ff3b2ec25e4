import { Menu, type BrowserWindow, type ContextMenuParams, type MenuItemConstructorOptions } from 'electron'

/**
 * The menu bar: the system's own entries for editing and windows, and none for developers. `installCommand` is absent
 * where the command `ocf` needs no installing.
 */
export function setAppMenu(platform: NodeJS.Platform, installCommand: (() => void) | undefined): void {
  // On macOS the file menu has the entry with ⌘W.
  const first: MenuItemConstructorOptions[] =
    platform === 'darwin'
      ? [{ role: 'appMenu' }, { role: 'fileMenu' }]
      : [{ label: 'File', submenu: [{ role: 'close' }, { role: 'quit' }] }]
  const view: MenuItemConstructorOptions = {
    label: 'View',
    submenu: [
      { role: 'resetZoom' },
      { role: 'zoomIn' },
      { role: 'zoomOut' },
      { type: 'separator' },
      { role: 'togglefullscreen' },
    ],
  }
  const help: MenuItemConstructorOptions[] =
    installCommand === undefined
      ? []
      : [{ role: 'help', submenu: [{ label: 'Install the “ocf” Command…', click: installCommand }] }]
  const rest: MenuItemConstructorOptions[] = [{ role: 'editMenu' }, view, { role: 'windowMenu' }, ...help]
  Menu.setApplicationMenu(Menu.buildFromTemplate([...first, ...rest]))
}

/** Right-clicks open a menu for the text there: Electron has none. */
export function addContextMenu(window: BrowserWindow): void {
  window.webContents.on('context-menu', (_event, params) => {
    const entries = textEntries(params)
    if (entries.length > 0) Menu.buildFromTemplate(entries).popup({ window })
  })
}

/** What can be done with the text under the pointer; nothing where there is none. */
function textEntries({ isEditable, selectionText, editFlags }: ContextMenuParams): MenuItemConstructorOptions[] {
  if (isEditable) {
    return [
      { role: 'cut', enabled: editFlags.canCut },
      { role: 'copy', enabled: editFlags.canCopy },
      { role: 'paste', enabled: editFlags.canPaste },
      { type: 'separator' },
      { role: 'selectAll' },
    ]
  }
  return selectionText.trim() === '' ? [] : [{ role: 'copy', enabled: editFlags.canCopy }]
}
