import { useRef } from 'react'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed, useSettings } from '../../stores/hooks.js'
import { ADVANCED_ITEM, linkTo } from '../../stores/route.js'
import { strings } from '../../strings/all.js'
import { FeedView, WhenReady } from '../../ui/feedback/feed-view.js'
import { Notice } from '../../ui/feedback/notice.js'
import { Page } from '../../ui/layout/page.js'
import { AboutCard } from './about/about-card.js'
import { ApiKeysCard } from './api-keys/api-keys-card.js'
import { AppCard } from './app-card.js'
import { AppearanceCard } from './appearance-card.js'
import { BasicCard } from './basic/basic-card.js'
import { isBasic } from './basic/basic-settings.js'
import { IdentityCard } from './identity/identity-card.js'
import { LogCard } from './log-card.js'
import styles from './settings-page.module.css'
import { Advanced, isChanged } from './table/advanced.js'

const { settings: words } = strings

/** The parts of the short page, in order. */
const SECTIONS = ['general', 'sharing', 'limits', 'network', 'privacy', 'keys', 'identity', 'about'] as const
type Section = (typeof SECTIONS)[number]

/** "Change how it behaves": what people change; all the rest, by its key, is under Advanced. */
export function SettingsPage({ item }: { item: string | undefined }) {
  const { state, reload } = useSettings()
  const page = useRef<HTMLDivElement>(null)
  const settings = dataOf(state) ?? []
  const pending = settings.filter((setting) => setting.next !== null).length
  const isAway = useFeed('status').phase === 'lost'
  const isAdvanced = item !== undefined && !isBasic(item)
  const goToSection = (section: Section): void => {
    const place = page.current?.querySelector<HTMLElement>(`[data-section="${section}"]`)
    place?.scrollIntoView({ block: 'start' })
    place?.focus({ preventScroll: true })
  }
  return (
    <Page
      name={strings.nav.settings}
      sentence={
        isAway
          ? strings.offline.title
          : isAdvanced
            ? words.sentence(settings.filter(isChanged).length)
            : words.basic.sentence
      }
    >
      {pending > 0 && <Notice tone="warn">{words.pending(pending)}</Notice>}
      <WhenReady states={[state]}>
        <div className={styles['columns']}>
          <Index isAdvanced={isAdvanced} onSection={goToSection} />
          <div ref={page} className={styles['cards']}>
            {isAdvanced ? (
              <>
                <FeedView state={state} onRetry={reload}>
                  {(list) => <Advanced settings={list} target={item} onSaved={reload} />}
                </FeedView>
                <LogCard />
              </>
            ) : (
              <>
                <Part of="general">
                  <AppearanceCard />
                  <AppCard />
                </Part>
                {(['sharing', 'limits', 'network', 'privacy'] as const).map((section) => (
                  <Part key={section} of={section} isOff={isAway}>
                    <FeedView state={state} onRetry={reload}>
                      {(list) => <BasicCard section={section} settings={list} target={item} onSaved={reload} />}
                    </FeedView>
                  </Part>
                ))}
                <Part of="keys" isOff={isAway}>
                  <ApiKeysCard />
                </Part>
                <Part of="identity" isOff={isAway}>
                  <IdentityCard />
                </Part>
                <Part of="about">
                  <AboutCard />
                </Part>
              </>
            )}
          </div>
        </div>
      </WhenReady>
    </Page>
  )
}

/** `isOff`: what it changes is the node's, which is away. */
function Part({ of: section, isOff = false, children }: { of: Section; isOff?: boolean; children: React.ReactNode }) {
  return (
    <fieldset className={styles['cards']} data-section={section} tabIndex={-1} disabled={isOff}>
      {children}
    </fieldset>
  )
}

/** The sections beside the page, and the way to the table of all keys and back. */
function Index({ isAdvanced, onSection }: { isAdvanced: boolean; onSection: (section: Section) => void }) {
  return (
    <nav className={styles['index']} aria-label={words.basic.index}>
      {isAdvanced ? (
        <a href={linkTo('settings')}>{words.basic.back}</a>
      ) : (
        SECTIONS.map((section) => (
          <button key={section} type="button" onClick={() => onSection(section)}>
            {words.basic.section[section]}
          </button>
        ))
      )}
      <a href={linkTo('settings', ADVANCED_ITEM)} aria-current={isAdvanced ? 'page' : undefined}>
        {words.basic.advanced}
      </a>
    </nav>
  )
}
