export { createSystemFacts } from './system-facts.js'
export { createHardware, type HardwareSource } from './hardware.js'
export { createGpuReader } from './gpu-reader.js'
export { known, unknown, type Fact, type GpuFacts, type MachineFacts } from './facts.js'
