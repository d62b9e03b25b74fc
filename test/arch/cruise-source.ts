import { join } from 'node:path'
import { cruise, type ICruiseResult } from 'dependency-cruiser'
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config'
import { LAYER_RULES } from './layer-rules.js'

export type Cruised = {
  /** The modules of ours that were looked at, by path. */
  readonly modules: readonly string[]
  readonly imports: number
  /** What was found: `rule: from -> to`. */
  readonly violations: readonly { readonly rule: string; readonly from: string; readonly to: string }[]
}

/** Holds the layer rules against `src/` of a project. */
export async function cruiseSource(root: string): Promise<Cruised> {
  const tsConfig = join(root, 'tsconfig.json')
  const { output } = await cruise(
    ['src'],
    {
      baseDir: root,
      validate: true,
      ruleSet: LAYER_RULES,
      // Imports of types count, too: a type that crosses a layer ties the two together as well.
      tsPreCompilationDeps: true,
      tsConfig: { fileName: tsConfig },
      doNotFollow: { path: 'node_modules' },
    },
    { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
    { tsConfig: extractTSConfig(tsConfig) },
  )
  const { modules, summary } = output as ICruiseResult
  const own = modules.filter((module) => module.source.startsWith('src/') && module.source.endsWith('.ts'))
  return {
    modules: own.map((module) => module.source),
    imports: summary.totalDependenciesCruised ?? 0,
    violations: summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
  }
}
