namespace Runbooks.Catalog.Reading;

/// <summary>Collects what is wrong with one file. Errors are told by the path of a key; the place in the file is looked up.</summary>
internal sealed class FileErrors
{
    private const int MaxErrors = 100;
    private const int MaxKey = 200;
    private const int MaxText = 2_000;

    private readonly List<CatalogError> _errors = [];
    private readonly List<CatalogError> _warnings = [];
    private readonly HashSet<Position> _refused = [];
    private readonly Dictionary<string, Position> _keys = [];
    private readonly Dictionary<string, Position> _values = [];
    private readonly string _file;
    private readonly string[] _lines;

    /// <param name="file">How errors name the file.</param>
    /// <param name="text">With or without a byte order mark.</param>
    /// <param name="page">The page of the docs that has examples of such files.</param>
    public FileErrors(string file, string text, string page = "docs/runbook-format.md")
    {
        (_file, Text, Page) = (file, text.TrimStart('\uFEFF'), page);
        _lines = FileLines.Of(Text);
        Allowances = new(file, Text);
    }

    /// <summary>The file's text, without a byte order mark.</summary>
    public string Text { get; }

    public string Page { get; }

    public int Count => _errors.Count;

    /// <returns>Whether something is wrong with the value at this path, or with what is in it.</returns>
    public bool HasAt(string path) => _errors.Exists(error => error.Key == path || error.Key.StartsWith($"{path}.", StringComparison.Ordinal));

    /// <summary>What the file says it means.</summary>
    public Allowances Allowances { get; }

    public IReadOnlyList<CatalogError> Sorted => [.. _errors.OrderBy(error => error.Line).ThenBy(error => error.Column)];

    /// <summary>What can be read and is probably not meant, but for what the file says it means.</summary>
    public IReadOnlyList<CatalogError> Warnings => [.. Allowances.Filter(_warnings, isRead: Count == 0).OrderBy(warning => warning.Line).ThenBy(warning => warning.Column)];

    /// <summary>Remembers where every key and value of the file stands.</summary>
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

    /// <summary>The YAML itself is refused here; what reading finds wrong with the same value is only a consequence.</summary>
    public void Refuse(Position at, string problem, string remedy)
    {
        Add(at, "", problem, remedy);
        _refused.Add(at);
    }

    /// <param name="code">One of <see cref="WarningCodes"/>.</param>
    public void Warn(string code, Position at, string problem, string remedy) => Warn(code, at, "", problem, remedy);

    /// <summary>The value at this path, or the nearest one above it that the file has, is probably not meant.</summary>
    public void Warn(string code, string path, string problem, string remedy) => Warn(code, PlaceOf(path), path, problem, remedy);

    public void Warn(string code, Position at, string key, string problem, string remedy)
    {
        if (_warnings.Count < MaxErrors)
        {
            _warnings.Add(Error(at, key, problem, remedy) with { Code = code });
        }
    }

    /// <summary>What stands in the file may be long, and an error is a line for people.</summary>
    private CatalogError Error(Position at, string key, string problem, string remedy) =>
        new(_file, at.Line, at.Column, Clip.To(key, MaxKey), Clip.To(problem, MaxText), Clip.To(remedy, MaxText));

    public void Add(Position at, string key, string problem, string remedy)
    {
        if (_refused.Contains(at) && key.Length > 0)
        {
            return;
        }

        // A file that is no runbook at all would bury the one error that says so.
        if (_errors.Count < MaxErrors)
        {
            _errors.Add(Error(at, key, problem, remedy));
        }
    }

    /// <summary>Where the value at this path stands, or the nearest one above it that the file has.</summary>
    public Position PlaceOf(string path) => Nearest(path, _values);

    /// <summary>Where the key at this path stands, or the nearest one above it that the file has.</summary>
    public Position PlaceOfKey(string path) => Nearest(path, _keys);

    /// <summary>Something is wrong with the value at this path, or with the nearest one above it that the file has.</summary>
    public void AtValue(string path, string problem, string remedy) => Add(Nearest(path, _values), path, problem, remedy);

    /// <summary>The file as a whole is something else than a mapping.</summary>
    /// <param name="first">The key that such a file begins with.</param>
    public void NoMapping(YamlNode whole, string first) => Add(whole.At, "", $"The file is {whole.Description} and must be a mapping.", $"Begin with '{first}:'.");

    /// <summary>What stands at this path is no text, or is nothing because all of it is a comment: <c>slack: #alerts</c>.</summary>
    public void NoText(string path, YamlNode node, string remedy)
    {
        var line = _lines.ElementAtOrDefault(node.At.Line - 1) ?? "";
        var rest = line.AsSpan(Math.Min(node.At.Column - 1, line.Length)).TrimStart(": ");
        var isComment = node is YamlScalar { IsNull: true, Value.Length: 0 } && rest.Length > 1 && rest[0] == '#' && !char.IsWhiteSpace(rest[1]);
        AtValue(path, $"is {node.Description} and must be text.", isComment ? "What follows '#' is a comment: put quotes around it."
            : node is not YamlSequence ? remedy
            : path.StartsWith("trigger[", StringComparison.Ordinal) ? "Write a trigger for each." : "Write one text, not a list.");
    }

    /// <summary>Something is wrong with a placeholder in the value at this path. It is pointed at where the file writes it as it is read, else the value.</summary>
    /// <param name="placeholder">What stands between the braces.</param>
    public void AtPlaceholder(string path, string placeholder, string problem, string remedy)
    {
        var value = PlaceOf(path);
        if (_refused.Contains(value))
        {
            return;
        }

        Add(Find(value, placeholder) ?? value, path, problem, remedy);
    }

    /// <summary>Where a line of a query ends in a comment that goes on over lines below it, since the value at this path joins its lines.</summary>
    /// <param name="query">As it is read.</param>
    /// <param name="comment">What begins a comment.</param>
    /// <returns>Null where none does.</returns>
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

    // What cannot be found as it is read must not be blamed on the value after it.
    private int LastLineOf(Position value) => _values.Values.Select(other => other.Line).Where(line => line > value.Line).DefaultIfEmpty(_lines.Length + 1).Min() - 1;

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

    /// <summary>Something is wrong with the key itself; for a missing one the key above it is pointed at.</summary>
    public void AtKey(string path, string problem, string remedy) => Add(Nearest(path, _keys), path, problem, remedy);

    /// <summary>Values are filled in, and keys are taken as they stand, also for the settings of the host.</summary>
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
