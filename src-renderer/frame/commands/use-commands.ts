import type { SettingView } from '#shared/contract/node/settings.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFirstRunHidden } from '../../stores/first-run.js'
import { useClient, useFeed, useSettings } from '../../stores/hooks.js'
import { INVITE_ITEM, JOIN_ITEM, PAGES } from '../../stores/route.js'
import { THEME_CHOICES, useTheme } from '../../stores/theme.js'
import { goTo } from '../../stores/use-route.js'
import { strings } from '../../strings/all.js'
import { shortPeerId } from '../../strings/format.js'
import { useAction } from '../../ui/feedback/use-action.js'
import type { Command } from './match-commands.js'

const { palette: words } = strings

/** Everything the palette knows at this moment: pages, actions, models, peers and settings. */
export function useCommands(openShortcuts: () => void): Command[] {
  const client = useClient()
  const { run } = useAction()
  const status = dataOf(useFeed('status'))
  const models = dataOf(useFeed('models')) ?? []
  const peers = dataOf(useFeed('peers')) ?? []
  const settings: readonly SettingView[] = dataOf(useSettings().state) ?? []
  const { choose } = useTheme()
  const showWelcome = useFirstRunHidden(({ show }) => show)

  const baseUrl = status?.gatewayUrl == null ? undefined : `${status.gatewayUrl}/v1`
  const pages = PAGES.map((page): Command => ({
    id: `page-${page}`,
    title: strings.nav[page],
    group: words.group.page,
    icon: page,
    run: () => goTo(page),
  }))
  const action = (id: string, title: string, icon: Command['icon'], act: () => void): Command => ({
    id,
    title,
    group: words.group.action,
    icon,
    run: act,
  })
  const pauses = Object.entries(strings.share.pauseFor).map(([key, { title, ms }]) =>
    action(`pause-${key}`, title, 'pause', () =>
      run(() => client.call('pause.set', { forMs: ms }), strings.share.pausedDone),
    ),
  )
  const actions = [
    ...(baseUrl === undefined
      ? []
      : [
          action('copy-url', words.copyUrl, 'copy', () =>
            run(() => navigator.clipboard.writeText(baseUrl), strings.copy.copied),
          ),
        ]),
    action('share', strings.share.shareModels, 'share', () => goTo('share')),
    action('invite', strings.people.invite.title, 'people', () => goTo('network', INVITE_ITEM)),
    action('join', strings.people.join.title, 'network', () => goTo('network', JOIN_ITEM)),
    ...pauses,
    action('welcome', strings.home.first.show, 'home', () => {
      showWelcome()
      goTo('home')
    }),
    action('resume', strings.share.resume, 'play', () =>
      run(() => client.call('pause.resume', {}), strings.share.resumedDone),
    ),
    ...THEME_CHOICES.map((name) =>
      action(`theme-${name}`, words.theme(strings.settings.theme[name]), 'sun', () => choose(name)),
    ),
    action('shortcuts', strings.shortcuts.title, 'question', openShortcuts),
  ]
  return [
    ...pages,
    ...actions,
    ...models.map(({ id }): Command => ({
      id: `model-${id}`,
      title: id,
      group: words.group.model,
      icon: 'models',
      run: () => goTo('models', id),
    })),
    ...peers.map(({ peerId }): Command => ({
      id: `peer-${peerId}`,
      title: shortPeerId(peerId),
      group: `${words.group.peer} ${peerId}`,
      icon: 'network',
      run: () => goTo('network', peerId),
    })),
    ...settings.map(({ name }): Command => ({
      id: `setting-${name}`,
      title: name,
      group: `${words.group.setting} ${strings.settings.basic.of(name, '').label}`,
      icon: 'settings',
      run: () => goTo('settings', name),
    })),
  ]
}
