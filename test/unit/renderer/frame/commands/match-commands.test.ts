import { expect, test } from 'vitest'
import { matchCommands, type Command } from '../../../../../src-renderer/frame/commands/match-commands.js'

test('the palette lists commands that begin with the query first', () => {
  const command = (title: string, group = 'Page'): Command => ({
    id: title,
    title,
    group,
    icon: 'home',
    run: () => undefined,
  })
  const all = [command('Home'), command('gateway.host', 'Setting'), command('phone'), command('Share')]
  const titles = (query: string): string[] => matchCommands(all, query).map(({ title }) => title)
  expect(titles('ho')).toEqual(['Home', 'gateway.host', 'phone'])
  expect(titles('setting host')).toEqual(['gateway.host'])
  expect(titles('')).toHaveLength(4)
  expect(titles('nothing')).toEqual([])
})
