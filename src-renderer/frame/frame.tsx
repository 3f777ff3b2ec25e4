import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import { HomePage } from '../features/home/home-page.js'
import { ModelsPage } from '../features/models/models-page.js'
import { NetworkPage } from '../features/network/network-page.js'
import { SettingsPage } from '../features/settings/settings-page.js'
import { SharePage } from '../features/share/share-page.js'
import { TrafficPage } from '../features/traffic/traffic-page.js'
import { linkTo, PAGES, type PageName } from '../stores/route.js'
import { useInviteLink } from '../stores/use-invite-link.js'
import { useRoute } from '../stores/use-route.js'
import { strings } from '../strings.js'
import { Toasts } from '../ui/feedback/toasts.js'
import { Icon } from '../ui/icons/icon.js'
import { JoinDialog } from '../ui/join/join-dialog.js'
import { PairBanner } from '../ui/pairing/pair-banner.js'
import styles from './frame.module.css'
import { Logo } from './logo.js'
import { NoticesBanner } from './notices-banner.js'
import { OfflineBanner } from './offline-banner.js'
import { Palette } from './palette.js'
import { ShortcutsDialog } from './shortcuts-dialog.js'
import { StatusPill } from './status-pill.js'
import { UpdateBanner } from './update-banner.js'
import { useShortcuts } from './use-shortcuts.js'

const PAGE_OF: Record<PageName, (props: { item: string | undefined }) => React.ReactNode> = {
  home: HomePage,
  share: SharePage,
  models: ModelsPage,
  network: NetworkPage,
  traffic: TrafficPage,
  settings: SettingsPage,
}

/** Rail, pill, palette and the page of the address. */
export function Frame() {
  const { page, item } = useRoute()
  const CurrentPage = PAGE_OF[page]
  const [open, setOpen] = useState<'palette' | 'shortcuts'>()
  const main = useRef<HTMLElement>(null)
  const link = useInviteLink()
  useShortcuts({ palette: () => setOpen('palette'), help: () => setOpen('shortcuts') })
  useEffect(() => void (document.title = `${strings.nav[page]} – ${strings.product}`), [page])
  // Before the effects of the page, which may scroll to what the address names.
  useLayoutEffect(() => void main.current?.scrollTo(0, 0), [page])
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
          <button type="button" className={styles['search']} onClick={() => setOpen('palette')}>
            <Icon name="search" size={16} />
            {strings.palette.open}
            <kbd>{navigator.platform.startsWith('Mac') ? '⌘ K' : 'Ctrl K'}</kbd>
          </button>
          <StatusPill />
        </header>
        <main ref={main} className={styles['main']} tabIndex={-1}>
          <OfflineBanner />
          <UpdateBanner />
          <NoticesBanner />
          <PairBanner />
          <CurrentPage item={item} />
        </main>
      </div>
      {open === 'palette' && <Palette onClose={() => setOpen(undefined)} openShortcuts={() => setOpen('shortcuts')} />}
      {open === 'shortcuts' && <ShortcutsDialog onClose={() => setOpen(undefined)} />}
      {link.invite !== undefined && <JoinDialog key={link.invite} text={link.invite} onClose={link.close} />}
      <Toasts />
    </div>
  )
}
