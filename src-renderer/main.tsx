import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { openClient } from './client/open-client.js'
import { Frame } from './frame/frame.js'
import { Gate } from './frame/gate.js'
import { StoresContext } from './stores/hooks.js'
import { createStores } from './stores/index.js'
import { applyTheme } from './stores/theme.js'
import './tokens.css'

applyTheme()
const client = openClient()
const root = document.getElementById('root')
if (root === null) throw new Error('The page has no root element.')
createRoot(root).render(
  <StrictMode>
    {client === undefined ? (
      <Gate />
    ) : (
      <StoresContext value={createStores(client)}>
        <Frame />
      </StoresContext>
    )}
  </StrictMode>,
)
// A link with a fresh key, opened in a tab that shows an old one, must take effect.
window.addEventListener('hashchange', () => {
  if (new URLSearchParams(location.hash.slice(1)).has('token')) location.reload()
})
