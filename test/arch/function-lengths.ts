import ts from 'typescript'

export type FunctionLength = {
  readonly name: string
  /** Counted from 1. */
  readonly line: number
  /** The lines it spans, with those of the functions inside it: a factory is read as a whole. */
  readonly lines: number
}

/** Every function of a source text, nested ones too. */
export function functionLengths(path: string, text: string): FunctionLength[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const lineAt = (position: number): number => source.getLineAndCharacterOfPosition(position).line
  const found: FunctionLength[] = []

  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const first = lineAt(node.getStart(source))
      found.push({ name: nameOf(node), line: first + 1, lines: lineAt(node.getEnd()) - first + 1 })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

function nameOf(node: ts.SignatureDeclaration): string {
  if (node.name !== undefined) return node.name.getText()
  const { parent } = node
  const named = ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)
  return named ? parent.name.getText() : '(anonymous)'
}
