namespace Runbooks.Catalog.Reading;

/// <summary>Errors of one file by the path of a key. If the file lacks the path, the position is that of the nearest one above it.</summary>
internal sealed class FileErrors
{
    public const string RunbookPage = "docs/runbook-format.md";

    private const int MaxErrors = 100;
    private const int MaxKey = 200;
    private const int MaxText = 2_000;

    /// <summary>Where a runbook has keys that are often indented too much or too little.</summary>
    private static readonly Dictionary<string, string> s_homes =
        new[] { "trigger", "target", "suppressedBy", "impact", "diagnosis", "mitigation", "resolution", "limits" }.Select(key => (key, "at the beginning of a line"))
            .Concat(new[] { "when", "needs", "verify", "holdUntil" }.Select(key => (key, "directly below 'mitigation'")))
            .Append(("approval", "directly below 'mitigation' or 'resolution'"))
            .ToDictionary(StringComparer.Ordinal);

    private readonly List<CatalogError> _errors = [];
    private readonly List<CatalogError> _warnings = [];
    private readonly HashSet<Position> _refused = [];
    private readonly Dictionary<string, Position> _keys = [];
    private readonly Dictionary<string, Position> _values = [];
    private readonly string _file;
    private readonly string[] _lines;

    /// <param name="file">The name in errors.</param>
    /// <param name="text">With or without a byte order mark.</param>
    /// <param name="page">The page of the docs with examples.</param>
    public FileErrors(string file, string text, string page = RunbookPage)
    {
        (_file, Text, Page) = (file, text.TrimStart('\uFEFF'), page);
        _lines = FileLines.Of(Text);
        Allowances = new(file, Text);
    }

    /// <summary>Without a byte order mark.</summary>
    public string Text { get; }

    public string Page { get; }

    /// <returns>Where a runbook has this key, as a remedy for one that is elsewhere. Null for other keys.</returns>
    public string? HomeOf(string key) =>
        Page == RunbookPage && s_homes.TryGetValue(key, out var home) ? $"'{key}' stands {home}: look at the indentation." : null;

    public int Count => _errors.Count;

    public bool HasAt(string path) =>
        _errors.Exists(error => error.Key == path || error.Key.StartsWith($"{path}.", StringComparison.Ordinal));

    public Allowances Allowances { get; }

    public IReadOnlyList<CatalogError> Sorted => [.. _errors.OrderBy(error => error.Line).ThenBy(error => error.Column)];

    /// <summary>The warnings that the file does not allow.</summary>
    public IReadOnlyList<CatalogError> Warnings =>
        [.. Allowances.Filter(_warnings, isRead: Count == 0).OrderBy(warning => warning.Line).ThenBy(warning => warning.Column)];

    /// <summary>Remembers the position of every key and value.</summary>
    public void Locate(YamlNode node, string path = "")
    {
        _values[path] = node.At;
        switch (node)
        {
            case YamlMapping mapping:
                foreach (var entry in mapping.Entries)
                {
                    _keys[Join(path, entry.Key)] = entry.KeyAt;
                    Locate(entry.Value, Join(path, entry.Key));
                }

                break;
            case YamlSequence sequence:
                for (var index = 0; index < sequence.Items.Count; index++)
                {
                    _keys[$"{path}[{index}]"] = sequence.Items[index].At;
                    Locate(sequence.Items[index], $"{path}[{index}]");
                }

                break;
        }
    }

    /// <summary>Reports an error in the YAML itself. Later errors about the same value are only consequences and are dropped.</summary>
    public void Refuse(Position at, string problem, string remedy)
    {
        Add(at, "", problem, remedy);
        _refused.Add(at);
    }

    /// <param name="code">One of <see cref="WarningCodes"/>.</param>
    public void Warn(string code, Position at, string problem, string remedy) => Warn(code, at, "", problem, remedy);

    public void Warn(string code, string path, string problem, string remedy) => Warn(code, PlaceOf(path), path, problem, remedy);

    public void Warn(string code, Position at, string key, string problem, string remedy)
    {
        if (_warnings.Count < MaxErrors)
        {
            _warnings.Add(Error(at, key, problem, remedy) with { Code = code });
        }
    }

    /// <summary>Text from the file may be long.</summary>
    private CatalogError Error(Position at, string key, string problem, string remedy) =>
        new(_file, at.Line, at.Column, Clip.To(key, MaxKey), Clip.To(problem, MaxText), Clip.To(remedy, MaxText));

    public void Add(Position at, string key, string problem, string remedy)
    {
        if (_refused.Contains(at) && key.Length > 0)
        {
            return;
        }

        // A file that is not a runbook has so many errors that they would bury the one that says so.
        if (_errors.Count < MaxErrors)
        {
            _errors.Add(Error(at, key, problem, remedy));
        }
    }

    public Position PlaceOf(string path) => Nearest(path, _values);

    public Position PlaceOfKey(string path) => Nearest(path, _keys);

    public void AtValue(string path, string problem, string remedy) => Add(Nearest(path, _values), path, problem, remedy);

    /// <summary>The file is not a mapping.</summary>
    /// <param name="first">The first key of such a file.</param>
    public void NoMapping(YamlNode whole, string first) =>
        Add(whole.At, "", $"The file is {whole.Description} and must be a mapping.", $"Begin with '{first}:'.");

    /// <summary>The value is not text, or is empty because all of it is a comment: <c>slack: #alerts</c>.</summary>
    public void NoText(string path, YamlNode node, string remedy)
    {
        var line = _lines.ElementAtOrDefault(node.At.Line - 1) ?? "";
        var rest = line.AsSpan(Math.Min(node.At.Column - 1, line.Length)).TrimStart(": ");
        var isComment = node is YamlScalar { IsNull: true, Value.Length: 0 }
            && rest.Length > 1
            && rest[0] == '#'
            && !char.IsWhiteSpace(rest[1]);
        AtValue(path, $"is {node.Description} and must be text.", isComment ? "What follows '#' is a comment: put quotes around it."
            : node is not YamlSequence ? remedy
            : path.StartsWith("trigger[", StringComparison.Ordinal) ? "Write a trigger for each." : "Write one text, not a list.");
    }

    /// <summary>Reports at the placeholder if it is found, otherwise at the value.</summary>
    /// <param name="placeholder">The text between the braces.</param>
    public void AtPlaceholder(string path, string placeholder, string problem, string remedy)
    {
        var value = PlaceOf(path);
        if (_refused.Contains(value))
        {
            return;
        }

        Add(Find(value, placeholder) ?? value, path, problem, remedy);
    }

    /// <summary>A comment in a query that cuts off the lines below it, because YAML joins the lines of the value.</summary>
    /// <param name="query">After YAML has joined its lines.</param>
    /// <param name="comment">The start of a comment.</param>
    /// <returns>Null for none.</returns>
    public Position? CutOff(string path, string query, string comment)
    {
        var from = PlaceOf(path);
        foreach (var cut in QueryScan.CommentsOf(query, comment))
        {
            for (var line = from.Line; line <= LastLineOf(from); line++)
            {
                var written = _lines[line - 1].TrimEnd();
                for (var at = written.IndexOf(comment, StringComparison.Ordinal); at >= 0; at = written.IndexOf(comment, at + 1, StringComparison.Ordinal))
                {
                    if (cut.Length > written.Length - at && cut.StartsWith(written[at..], StringComparison.Ordinal))
                    {
                        return new(line, at + 1);
                    }
                }
            }
        }

        return null;
    }

    // The search must not run into the next value.
    private int LastLineOf(Position value) =>
        _values.Values.Select(other => other.Line).Where(line => line > value.Line).DefaultIfEmpty(_lines.Length + 1).Min() - 1;

    private Position? Find(Position from, string placeholder)
    {
        for (var line = from.Line; line <= LastLineOf(from); line++)
        {
            var begin = line == from.Line ? Math.Min(from.Column - 1, _lines[line - 1].Length) : 0;
            for (var at = _lines[line - 1].IndexOf("{{", begin, StringComparison.Ordinal); at >= 0; at = _lines[line - 1].IndexOf("{{", at + 1, StringComparison.Ordinal))
            {
                var inside = _lines[line - 1].AsSpan(at + 2).TrimStart();
                if (inside.StartsWith(placeholder, StringComparison.Ordinal) && inside[placeholder.Length..].TrimStart().StartsWith("}}"))
                {
                    return new(line, at + 1);
                }
            }
        }

        return null;
    }

    public void AtKey(string path, string problem, string remedy) => Add(Nearest(path, _keys), path, problem, remedy);

    public void RefusePlaceholderInKey(string path, string key)
    {
        if (Template.HasPlaceholder(key))
        {
            AtKey(path, "holds a placeholder, and a key is taken as it stands.", "Write the key out.");
        }
    }

    public void Add(string prefix, ParameterError error)
    {
        var path = Join(prefix, error.Key);
        Add(_values.TryGetValue(path, out var value) ? value : Nearest(path, _keys), path, error.Problem, error.Remedy);
    }

    public static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";

    private static Position Nearest(string path, Dictionary<string, Position> places)
    {
        while (path.Length > 0)
        {
            if (places.TryGetValue(path, out var place))
            {
                return place;
            }

            path = path[..Math.Max(0, path.LastIndexOfAny(['.', '[']))];
        }

        return places.TryGetValue("", out var whole) ? whole : new(1, 1);
    }
}
