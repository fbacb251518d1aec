/** What package.json cannot say: no cycles, no reaching into another package's files, no Node in web code. */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Types may refer to each other; code may not.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'only-through-doors',
      comment: 'A package is imported by its name, never by a path into its folder.',
      severity: 'error',
      from: { path: '^(packages|apps)/([^/]+)/' },
      to: { path: '^(packages|apps)/([^/]+)/', pathNot: '^$1/$2/', dependencyTypes: ['local'] },
    },
    {
      name: 'web-code-stays-web',
      comment: 'Published packages run anywhere; Node sits behind ./node, a command, or a test.',
      severity: 'error',
      from: {
        path: '^packages/[^/]+/src/',
        pathNot: [
          '^packages/testkit/',
          '/src/node(/|\\.ts$)',
          '/src/(cli|command)(/|\\.ts$)',
          '^packages/cookie-import/src/(firefox|read-path)\\.ts$',
          '\\.test\\.ts$',
          '/src/(redis|s3)(/|\\.ts$)',
          '/test/',
        ],
      },
      to: { dependencyTypes: ['core'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: { conditionNames: ['@castorjs/source', 'import', 'default'] },
  },
}
