import { packageBuild } from '../../tsup.base.ts'

export default packageBuild(['src/index.ts', 'src/content-generator.ts', 'src/redis.ts'])
