import { StrictMode, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { openClient } from './client/open-client.js'
import { Frame } from './frame/frame.js'
import { Gate } from './frame/gate.js'
import { StoresContext } from './stores/hooks.js'
import { createStores } from './stores/index.js'
import { applyTheme } from './stores/theme.js'
import { LANGUAGE } from './strings/languages/page-language.js'
import './tokens.css'

applyTheme()
document.documentElement.lang = LANGUAGE
const element = document.getElementById('root')
if (element === null) throw new Error('The page has no root element.')
const root = createRoot(element)
const show = (page: ReactNode): void => root.render(<StrictMode>{page}</StrictMode>)
const client = openClient(() => show(<Gate reason="unauthorized" />))
const stores = client === undefined ? undefined : createStores(client)
show(
  stores === undefined ? (
    <Gate reason="noToken" />
  ) : (
    <StoresContext value={stores}>
      <Frame />
    </StoresContext>
  ),
)
window.addEventListener('pagehide', () => void stores?.keeper.leave())
// A link with a fresh key, opened in a tab that shows an old one, must take effect.
window.addEventListener('hashchange', () => {
  if (new URLSearchParams(location.hash.slice(1)).has('token')) location.reload()
})
