namespace Runbooks.Catalog.Problems;

/// <summary>
/// Comments that allow warnings: <c># runbook-allow no-owner: it is everybody's</c>, on the line of the warning or alone above it. Above
/// the first key one applies to the whole file.
/// </summary>
internal sealed partial class Allowances
{
    public const string Word = "runbook-allow";

    private readonly List<Allowance> _all = [];
    private readonly List<CatalogError> _unclear = [];

    public Allowances(string file, string text)
    {
        var lines = FileLines.Of(text);
        var first = Array.FindIndex(lines, line => Content(line).Length > 0);
        for (var index = 0; index < lines.Length; index++)
        {
            if (Directive().Match(lines[index]) is { Success: true } directive)
            {
                var alone = Content(lines[index][..directive.Index]).Length == 0;
                var covered = !alone ? index : index < first ? (int?)null : Array.FindIndex(lines, index, line => Content(line).Length > 0);
                Read(file, directive, index, covered);
            }
        }
    }

    /// <param name="isRead">False if the file has errors. Not all warnings were then looked for.</param>
    /// <returns>With errors in the comments themselves.</returns>
    public IEnumerable<CatalogError> Filter(IEnumerable<CatalogError> warnings, bool isRead)
    {
        var left = warnings.Where(warning => !Allows(warning)).ToList();
        return left
            .Concat(_unclear)
            .Concat(_all.Where(one => isRead && !one.IsUsed && !WarningCodes.IsOfTheWhole(one.Code)).Select(one => one.Unused));
    }

    public bool Allows(CatalogError warning)
    {
        var found = _all.Where(one => one.Code == warning.Code && (one.Line is null || one.Line == warning.Line)).ToList();
        found.ForEach(one => one.IsUsed = true);
        return found.Count > 0;
    }

    private void Read(string file, Match directive, int index, int? covered)
    {
        var rest = directive.Groups["rest"].Value;
        var colon = rest.IndexOf(':', StringComparison.Ordinal);
        var why = colon < 0 ? "" : rest[(colon + 1)..].Trim();
        var codes = (colon < 0 ? rest : rest[..colon]).Split([',', ' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
        var at = new CatalogError(file, index + 1, directive.Index + 1, "", "", "");
        if (codes.Length == 0 || why.Length == 0)
        {
            _unclear.Add(at with
            {
                Code = WarningCodes.AllowUnclear,
                Problem = $"The comment does not say {(codes.Length == 0 ? "which warning it allows" : "why")}.",
                Remedy = "Write '# runbook-allow CODE: why it is meant'.",
            });
            return;
        }

        foreach (var code in codes)
        {
            if (WarningCodes.All.ContainsKey(code))
            {
                var unused = at with
                {
                    Code = WarningCodes.AllowUnused,
                    Problem = $"The comment allows '{code}', and there is no such warning {(covered is null ? "in this file" : "on the line it is for")}.",
                    Remedy = "Remove it, or move it to the line that the warning names.",
                };
                _all.Add(new(code, covered + 1, unused));
            }
            else
            {
                _unclear.Add(at with
                {
                    Code = WarningCodes.AllowUnclear,
                    Problem = $"The comment allows '{Clip.To(code, 80)}', which is no warning.",
                    Remedy = $"{Suggestion.For(code, WarningCodes.All.Keys)}The warnings are listed in docs/warnings.md.",
                });
            }
        }
    }

    private static string Content(string line) => line.TrimStart() is var text && text.StartsWith('#') ? "" : text.TrimEnd();

    [GeneratedRegex(@"#\s*" + Word + @"\b(?<rest>.*)$", RegexOptions.NonBacktracking)]
    private static partial Regex Directive();

    /// <param name="Line">Counted from 1. Null for the whole file.</param>
    private sealed record Allowance(string Code, int? Line, CatalogError Unused)
    {
        public bool IsUsed { get; set; }
    }
}
