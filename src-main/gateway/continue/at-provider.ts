import { AppError } from '#shared/errors.js'
import type { JsonChanges } from '../../base/json/object.js'
import {
  type ContinuedForm,
  type ContinuedWay,
  continuedWay,
  type LocalService,
  type ServiceRegistry,
} from '../../services/index.js'
import { modelOf, type RequestBody } from '../body/request-body.js'
import type { LocalClients } from '../forward/local-clients.js'
import { EngineProofs } from './engine-proofs.js'
import { formOf } from './forms.js'

/** On a request between nodes: the answer was begun elsewhere, and what was said of it stands in the body. */
export const CONTINUES_HEADER = 'x-ocf-continues'

/** Members by which one kind of server is told to go on; the others do it unasked, and may refuse what they do not know. */
const FLAGS: JsonChanges = new Map([
  ['continue_final_message', null],
  ['add_generation_prompt', null],
])

/** Prepares answers that were begun elsewhere for the servers of this machine. */
export class ContinuingServers {
  readonly #proofs: EngineProofs

  constructor(needs: { localClients: LocalClients; registry: Pick<ServiceRegistry, 'apiKey'> }) {
    this.#proofs = new EngineProofs(needs)
  }

  /**
   * Which of `services` go on with the answer in `body`, and the body as they take it.
   * @throws AppError `unsupported_request` where none does: they would begin anew
   */
  async prepare(
    services: readonly LocalService[],
    body: RequestBody,
    path: string,
  ): Promise<{ services: readonly LocalService[]; body: RequestBody }> {
    const form = formOf(path)?.name
    const model = modelOf(body)
    const [first, ...others] = form === undefined || model === undefined ? [] : await this.#able(services, model, form)
    if (first === undefined || body.kind !== 'read' || body.json === undefined) {
      throw new AppError(
        'unsupported_request',
        'The model server here can not go on with an answer that was begun elsewhere.',
      )
    }
    const same = [first, ...others].filter(({ way }) => way === first.way).map(({ service }) => service)
    if (first.way !== 'prefill' || form !== 'chat') return { services: same, body }
    const json = body.json.with(FLAGS)
    return { services: same, body: { ...body, json, bytes: json.bytes } }
  }

  async #able(
    services: readonly LocalService[],
    model: string,
    form: ContinuedForm,
  ): Promise<{ service: LocalService; way: ContinuedWay }[]> {
    const able: { service: LocalService; way: ContinuedWay }[] = []
    for (const service of services) {
      const found = continuedWay(service, model, form)
      if (found === undefined) continue
      const { way, proof } = found
      if (proof === undefined || (await this.#proofs.holds(proof, service, model))) able.push({ service, way })
    }
    return able
  }
}
