import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { monotonicClock } from '../../../src-main/base/clock.js'
import type { GatewayNeeds, GatewayOptions } from '../../../src-main/gateway/needs.js'
import { openApiDocument, openApiPath } from '../../../src-main/gateway/openapi/document.js'
import { ROUTE_DOCS } from '../../../src-main/gateway/openapi/route-docs.js'
import { allRoutes } from '../../../src-main/gateway/routes/index.js'

const OPTIONS: GatewayOptions = {
  settings: {
    mode: 'node',
    'go-network': 'off' as const,
    'gateway.max-body': 1,
    'cors-origins': ['*'],
    'allowed-hosts': [],
  },
  version: '1.2.3',
  authorize: () => undefined,
  dashboardUrl: () => undefined,
  bindHost: '127.0.0.1',
  docsDir: null,
}

const FOLLOWED = { subscribe: () => () => undefined }
/** Describing touches nothing of a node but its clock and its id; some routes follow others. */
const NEEDS = {
  ...{ monotonic: monotonicClock, host: { peerId: 'me' } },
  ...{ registry: FOLLOWED, trust: FOLLOWED },
} as unknown as GatewayNeeds

const routes = allRoutes(NEEDS, OPTIONS)

interface Operation {
  operationId: string
  summary: string
  tags: string[]
  security?: object[]
  responses: Record<string, { description: string }>
}
const document = openApiDocument(routes, { version: '1.2.3' }) as {
  openapi: string
  paths: Record<string, Record<string, Operation>>
}

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(document))
    expect(errors).toBeUndefined()
    expect(valid).toBe(true)
    expect(document.openapi).toBe('3.1.0')
  })

  it('has every route of the local listener with all its methods, and nothing else', () => {
    const inDocument = Object.entries(document.paths).flatMap(([path, { parameters: _, ...methods }]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const inTable = routes
      .filter(({ listeners }) => listeners.includes('local'))
      .flatMap(({ methods, path }) => methods.map((method) => `${method} ${openApiPath(path)}`))
    expect(inDocument.sort()).toEqual([...new Set(inTable)].sort())
  })

  it('has a doc for every route and a route for every doc', () => {
    expect([...new Set(routes.map(({ path }) => path))].sort()).toEqual(Object.keys(ROUTE_DOCS).sort())
  })

  it('describes the routes that describe, and never opens them, metrics or changes to other peers', () => {
    for (const path of ['/metrics', '/docs', '/openapi.json', '/openapi.yaml', '/v1/dnt/_node']) {
      const found = routes.filter((route) => route.path === path)
      expect(found.length, path).toBeGreaterThan(0)
      for (const { listeners } of found) expect(listeners).toEqual(['local'])
    }
    for (const path of ['/metrics', '/v1/dnt/_node']) {
      expect(routes.filter((route) => route.path === path).every(({ pages }) => pages === 'never')).toBe(true)
    }
  })

  it('names each operation once, and says what can go wrong', () => {
    const operations = Object.values(document.paths).flatMap(({ parameters: _, ...methods }) => Object.values(methods))
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
    for (const { tags, summary, responses } of operations) {
      expect(tags).toHaveLength(1)
      expect(summary).not.toBe('')
      expect(Object.keys(responses)).toContain('500')
    }
    const chat = document.paths['/v1/chat/completions']?.['post']
    expect(chat?.responses['404']?.description).toContain('`model_not_found`')
    expect(chat?.responses['502']?.description).toContain('`upstream_failed`')
    expect(document.paths['/v1/dnt/_node']?.['post']?.security).toEqual([{ controlToken: [] }])
  })

  it('is served as JSON and as YAML that say the same', async () => {
    const body = async (path: string): Promise<string> => {
      const ctx = { set: () => undefined, body: '' }
      const route = routes.find((candidate) => candidate.path === path)
      await route?.handle?.(ctx as never, {})
      return ctx.body
    }
    expect(JSON.parse(await body('/openapi.json'))).toEqual(JSON.parse(JSON.stringify(document)))
    expect(parse(await body('/openapi.yaml'))).toEqual(JSON.parse(JSON.stringify(document)))
  })

  it('has a plain page where Swagger UI was not built', async () => {
    const ctx = { set: () => undefined, body: '' }
    await routes.find(({ path }) => path === '/docs')?.handle?.(ctx as never, {})
    expect(ctx.body).toContain('/v1/chat/completions')
    expect(ctx.body).not.toContain('<script')
  })
})
