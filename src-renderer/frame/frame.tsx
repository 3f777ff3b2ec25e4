import { lazy, Suspense, useEffect, useLayoutEffect, useRef, useState, type ComponentType } from 'react'
import { HomePage } from '../features/home/home-page.js'
import { linkTo, PAGES, type PageName } from '../stores/route.js'
import { useInviteLink } from '../stores/use-invite-link.js'
import { useRoute } from '../stores/use-route.js'
import { strings } from '../strings.js'
import { Skeleton } from '../ui/feedback/feed-view.js'
import { Toasts } from '../ui/feedback/toasts.js'
import { Icon } from '../ui/icons/icon.js'
import { JoinDialog } from '../ui/join/join-dialog.js'
import { PairBanner } from '../ui/pairing/pair-banner.js'
import { ShortcutsDialog } from './commands/shortcuts-dialog.js'
import { useShortcuts } from './commands/use-shortcuts.js'
import styles from './frame.module.css'
import { Logo } from './logo.js'
import { NoticesBanner } from './notices-banner.js'
import { OfflineBanner } from './offline-banner.js'
import { PageGuard } from './page-guard.js'
import { RailMark, StatusPill } from './status-pill.js'
import { UpdateBanner } from './update-banner.js'

/** Pages come when they are gone to; only Home is there from the start. */
const PAGE_OF: Record<PageName, ComponentType<{ item: string | undefined }>> = {
  home: HomePage,
  chat: lazy(async () => ({ default: (await import('../features/chat/chat-page.js')).ChatPage })),
  share: lazy(async () => ({ default: (await import('../features/share/share-page.js')).SharePage })),
  models: lazy(async () => ({ default: (await import('../features/models/models-page.js')).ModelsPage })),
  network: lazy(async () => ({ default: (await import('../features/network/network-page.js')).NetworkPage })),
  traffic: lazy(async () => ({ default: (await import('../features/traffic/traffic-page.js')).TrafficPage })),
  settings: lazy(async () => ({ default: (await import('../features/settings/settings-page.js')).SettingsPage })),
}

const loadPalette = () => import('./commands/palette.js')
const Palette = lazy(async () => ({ default: (await loadPalette()).Palette }))

/** Rail, pill, palette and the page of the address. */
export function Frame() {
  const { page, item } = useRoute()
  const CurrentPage = PAGE_OF[page]
  const [open, setOpen] = useState<'palette' | 'shortcuts'>()
  const main = useRef<HTMLElement>(null)
  const link = useInviteLink()
  useShortcuts({ palette: () => setOpen('palette'), help: () => setOpen('shortcuts') })
  useEffect(() => void (document.title = `${strings.nav[page]} – ${strings.product}`), [page])
  // After the first page, so that it is there when it is wanted.
  useEffect(() => void loadPalette(), [])
  // Before the effects of the page, which may scroll to what the address names.
  useLayoutEffect(() => {
    main.current?.scrollTo(0, 0)
  }, [page])
  return (
    <div className={styles['frame']}>
      <a
        href="#main"
        className={styles['skip']}
        onClick={(event) => {
          // The address names the page; it stays.
          event.preventDefault()
          main.current?.focus()
        }}
      >
        {strings.nav.skip}
      </a>
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
            <RailMark page={name} />
          </a>
        ))}
      </nav>
      <div className={styles['column']}>
        <header className={styles['bar']}>
          <button type="button" className={styles['search']} onClick={() => setOpen('palette')}>
            <Icon name="search" size={16} />
            <span className={styles['searchWords']}>{strings.palette.open}</span>
            <kbd>{navigator.platform.startsWith('Mac') ? '⌘ K' : 'Ctrl K'}</kbd>
          </button>
          <StatusPill />
        </header>
        <main id="main" ref={main} className={styles['main']} tabIndex={-1}>
          <OfflineBanner />
          <UpdateBanner />
          <NoticesBanner />
          <PairBanner />
          <PageGuard key={page}>
            <Suspense fallback={<Skeleton />}>
              <CurrentPage item={item} />
            </Suspense>
          </PageGuard>
        </main>
      </div>
      {open === 'palette' && (
        <Suspense>
          <Palette onClose={() => setOpen(undefined)} openShortcuts={() => setOpen('shortcuts')} />
        </Suspense>
      )}
      {open === 'shortcuts' && <ShortcutsDialog onClose={() => setOpen(undefined)} />}
      {link.invite !== undefined && <JoinDialog key={link.invite} text={link.invite} onClose={link.close} />}
      <Toasts />
    </div>
  )
}
