/**
 * The closed vocabulary of failures: each code once, with its HTTP status and OpenAI-style type.
 * Gateway, control interface, IPC and CLI all speak it; tests assert on the code, never on the sentence.
 */
export const ERRORS = {
  // The gateway (docs: "Errors" of the gateway's HTTP API)
  invalid_json: { status: 400, type: 'invalid_request_error' },
  missing_model: { status: 400, type: 'invalid_request_error' },
  invalid_peer_id: { status: 400, type: 'invalid_request_error' },
  invalid_service: { status: 400, type: 'invalid_request_error' },
  invalid_request: { status: 400, type: 'invalid_request_error' },
  context_length_exceeded: { status: 400, type: 'invalid_request_error' },
  unsupported_request: { status: 400, type: 'invalid_request_error' },
  unauthorized: { status: 401, type: 'authentication_error' },
  path_not_shared: { status: 403, type: 'permission_error' },
  forbidden_host: { status: 403, type: 'permission_error' },
  forbidden_origin: { status: 403, type: 'permission_error' },
  beyond_reach: { status: 403, type: 'permission_error' },
  peer_not_allowed: { status: 403, type: 'permission_error' },
  model_not_found: { status: 404, type: 'invalid_request_error' },
  service_not_found: { status: 404, type: 'invalid_request_error' },
  not_found: { status: 404, type: 'invalid_request_error' },
  method_not_allowed: { status: 405, type: 'invalid_request_error' },
  request_timeout: { status: 408, type: 'invalid_request_error' },
  body_too_large: { status: 413, type: 'invalid_request_error' },
  unsupported_media_type: { status: 415, type: 'invalid_request_error' },
  rate_limited: { status: 429, type: 'rate_limit_error' },
  provider_busy: { status: 429, type: 'rate_limit_error' },
  internal: { status: 500, type: 'server_error' },
  upstream_failed: { status: 502, type: 'server_error' },
  no_provider: { status: 503, type: 'server_error' },
  upstream_timeout: { status: 504, type: 'server_error' },
  loop_detected: { status: 508, type: 'server_error' },
  // Starting and running a node
  invalid_settings: { status: 400, type: 'invalid_request_error' },
  port_in_use: { status: 409, type: 'server_error' },
  port_not_permitted: { status: 403, type: 'server_error' },
  address_not_available: { status: 400, type: 'invalid_request_error' },
  too_many_open_files: { status: 503, type: 'server_error' },
  disk_full: { status: 507, type: 'server_error' },
  identity_unreadable: { status: 500, type: 'server_error' },
  secret_unreadable: { status: 500, type: 'server_error' },
  data_dir_foreign: { status: 409, type: 'server_error' },
  data_dir_locked: { status: 409, type: 'server_error' },
  data_dir_unusable: { status: 500, type: 'server_error' },
  engine_missing: { status: 409, type: 'server_error' },
  node_not_running: { status: 503, type: 'server_error' },
} as const satisfies Record<string, { status: number; type: string }>

/** One of the codes of {@link ERRORS}. */
export type ErrorCode = keyof typeof ERRORS

/** What an {@link AppError} may carry besides its code and sentence. */
export interface AppErrorOptions {
  /** The request field at fault, as OpenAI's `param`. */
  param?: string
  /** Whole seconds for a `Retry-After` header. */
  retryAfterS?: number
  cause?: unknown
}

/** A failure that a person is told about: what happened and what to do, under a code of the closed vocabulary. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly param: string | undefined
  readonly retryAfterS: number | undefined

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.param = options.param
    this.retryAfterS = options.retryAfterS
  }

  /** The HTTP status that goes with the code. */
  get status(): number {
    return ERRORS[this.code].status
  }
}

/** The one JSON shape of errors on every wire; the one OpenAI clients parse. */
export interface WireError {
  error: { message: string; type: string; code: string; param: string | null; request_id: string }
}

/** An error as it goes over the wire. Anything that is not an {@link AppError} is a bug and shows only its request id. */
export function toWireError(error: unknown, requestId: string): WireError {
  const known = error instanceof AppError ? error : internalError()
  return {
    error: {
      message: known.message,
      type: ERRORS[known.code].type,
      code: known.code,
      param: known.param ?? null,
      request_id: requestId,
    },
  }
}

/** The {@link AppError} that a wire error stands for; unknown codes become `internal`. */
export function fromWireError(wire: WireError): AppError {
  const { code, message, param } = wire.error
  return new AppError(isErrorCode(code) ? code : 'internal', message, param === null ? {} : { param })
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code)
}

function internalError(): AppError {
  return new AppError(
    'internal',
    'Something went wrong inside this node. The log has the details under this request id.',
  )
}
