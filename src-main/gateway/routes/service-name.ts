import { AppError } from '#shared/errors.js'

/** @throws AppError `invalid_service` */
export function parseServiceName(raw: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(raw)) {
    throw new AppError('invalid_service', 'A service name has 1 to 64 letters, digits, ".", "_" or "-".', {
      param: 'service',
    })
  }
  return raw
}
