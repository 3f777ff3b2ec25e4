import { useState } from 'react'
import { formatDay } from '../../strings/format.js'
import { strings } from '../../strings.js'
import { Tabs } from '../../ui/controls/tabs.js'
import { CodeBlock } from '../../ui/text/code-block.js'
import { APPS } from './apps.js'
import styles from './home-page.module.css'

const NAMES = APPS.map(({ name }) => name)

/** How each app is connected to this gateway, with a model that answers; one app at a time. */
export function ConnectApp({ baseUrl, model }: { baseUrl: string; model: string }) {
  const [name, setName] = useState(NAMES[0])
  const app = APPS.find((one) => one.name === name)
  if (app === undefined) return null
  const target = { base: baseUrl, gateway: baseUrl.replace(/\/v1$/, ''), model }
  return (
    <Tabs label={strings.home.apps.list} names={NAMES} current={app.name} onChange={setName}>
      {app.where !== undefined && <p className={styles['where']}>{app.where}</p>}
      <CodeBlock code={app.code(target)} label={app.name} />
      <p className={styles['tried']}>
        {app.tried === null ? strings.home.apps.notTried : triedText(app.name, app.tried)}
      </p>
    </Tabs>
  )
}

/** `curl 7.88, 2026-11-29` with the day written out. */
function triedText(name: string, tried: string): string {
  const [version = '', day = ''] = tried.split(', ')
  return strings.home.apps.tried(`${name} ${version}`, formatDay(day))
}
