import type { z } from 'zod'
import type { CallDefinition } from '#shared/contract/define.js'
import { CALLS, isCallName, type CallName, type CallOutput, type ParsedInput } from '#shared/contract/index.js'
import type { Capability } from '#shared/contract/node/node.js'
import { AppError } from '#shared/errors.js'

/** What a handler may know about where a call came from. */
interface CallContext {
  readonly capabilities: readonly Capability[]
}

/** Answers one call. Gets validated input; what it returns is validated too. */
type Handler<N extends CallName> = (
  input: ParsedInput<N>,
  context: CallContext,
) => CallOutput<N> | Promise<CallOutput<N>>

/** One handler for each call of the contract. */
export type Handlers = { readonly [N in CallName]: Handler<N> }

/**
 * Makes one call on behalf of a transport. Rejects with `not_found` for a call the contract doesn't have, with
 * `invalid_request` (the field in `param`) for bad input, and with whatever the handler throws.
 */
export type Dispatch = (name: string, input: unknown, context: CallContext) => Promise<unknown>

/** The one place where calls are validated, whatever carried them. */
export function createDispatch(needs: { handlers: Handlers }): Dispatch {
  return async (name, input, context) => {
    if (!isCallName(name)) throw new AppError('not_found', `This node has no call "${printable(name)}".`)
    const definition: CallDefinition = CALLS[name]
    const parsed = definition.input.safeParse(input)
    if (!parsed.success) throw invalidInput(name, parsed.error)
    const handler = needs.handlers[name] as (input: unknown, context: CallContext) => unknown
    const output = await handler(parsed.data, context)
    // A mismatch is a bug of this node: the ZodError goes to the log as `internal`, never to the caller.
    return definition.output.parse(output)
  }
}

function invalidInput(call: CallName, error: z.ZodError): AppError {
  const issue = error.issues[0]
  const field = issue?.path.map(String).join('.') ?? ''
  const where = field === '' ? `The input of ${call}` : `The field "${printable(field)}" of ${call}`
  return new AppError('invalid_request', `${where} is not valid: ${issue?.message ?? 'unknown reason'}.`, {
    ...(field === '' ? {} : { param: printable(field) }),
  })
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 80)
}
