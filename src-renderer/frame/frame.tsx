import { useEffect, useRef } from 'react'
import { HomePage } from '../features/home/home-page.js'
import { ModelsPage } from '../features/models/models-page.js'
import { NetworkPage } from '../features/network/network-page.js'
import { SettingsPage } from '../features/settings/settings-page.js'
import { SharePage } from '../features/share/share-page.js'
import { TrafficPage } from '../features/traffic/traffic-page.js'
import { strings } from '../strings.js'
import { Icon } from '../ui/icon.js'
import styles from './frame.module.css'
import { Logo } from './logo.js'
import { OfflineBanner } from './offline-banner.js'
import { linkTo, PAGES, type PageName } from './route.js'
import { StatusPill } from './status-pill.js'
import { usePage } from './use-page.js'

const PAGE_OF: Record<PageName, () => React.ReactNode> = {
  home: HomePage,
  share: SharePage,
  models: ModelsPage,
  network: NetworkPage,
  traffic: TrafficPage,
  settings: SettingsPage,
}

/** Rail, pill and the page of the address. */
export function Frame() {
  const page = usePage()
  const CurrentPage = PAGE_OF[page]
  const main = useRef<HTMLElement>(null)
  useEffect(() => {
    document.title = `${strings.nav[page]} – ${strings.product}`
    main.current?.scrollTo(0, 0)
  }, [page])
  return (
    <div className={styles['frame']}>
      <nav className={styles['rail']} aria-label={strings.nav.label}>
        <p className={styles['brand']}>
          <Logo />
          <span className={styles['words']}>{strings.product}</span>
        </p>
        {PAGES.map((name) => (
          <a
            key={name}
            href={linkTo(name)}
            className={styles['link']}
            aria-current={name === page ? 'page' : undefined}
            title={strings.nav[name]}
          >
            <Icon name={name} />
            <span className={styles['words']}>{strings.nav[name]}</span>
          </a>
        ))}
      </nav>
      <div className={styles['column']}>
        <header className={styles['bar']}>
          <StatusPill />
        </header>
        <main ref={main} className={styles['main']} tabIndex={-1}>
          <OfflineBanner />
          <CurrentPage />
        </main>
      </div>
    </div>
  )
}
