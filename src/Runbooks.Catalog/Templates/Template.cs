using System.Text;

namespace Runbooks.Catalog.Templates;

/// <summary>
/// There is only substitution: no expressions, functions or nesting. Inserted text is data and never searched for placeholders again.
/// </summary>
public sealed partial class Template
{
    /// <summary>The longest rendered text, in characters.</summary>
    public const int MaxLength = 16_384;

    private readonly IReadOnlyList<(string Text, Placeholder? Placeholder)> _parts;

    private Template(IReadOnlyList<(string, Placeholder?)> parts, IReadOnlyList<string> errors) => (_parts, Errors) = (parts, errors);

    public IReadOnlyList<string> Errors { get; }

    /// <summary>Text that looks like a placeholder but is kept: another tool's syntax, or one brace too few.</summary>
    internal IEnumerable<string> Lookalikes => _parts
        .Where(part => part.Placeholder is null)
        .SelectMany(part => Lookalike().Matches(part.Text))
        .Select(match => match.Value)
        .Concat(_parts
            .Zip(_parts.Skip(1))
            .Where(pair => pair is { First: { Placeholder: null, Text: [.., '$'] }, Second.Placeholder: not null })
            .Select(pair => $"${pair.Second.Text}"));

    public IEnumerable<Placeholder> Placeholders => _parts.Select(part => part.Placeholder).OfType<Placeholder>();

    public static bool HasPlaceholder(string text) => text.Contains("{{", StringComparison.Ordinal);

    /// <summary>Raw JSON would not do, because it escapes non-ASCII characters, also in names of labels.</summary>
    public static IEnumerable<string> TextsOf(JsonElement with) => with.ValueKind switch
    {
        JsonValueKind.String => [with.GetString()!],
        JsonValueKind.Object => with.EnumerateObject().SelectMany(part => TextsOf(part.Value)),
        JsonValueKind.Array => with.EnumerateArray().SelectMany(TextsOf),
        _ => [],
    };

    /// <summary>Strict: every placeholder must have a value.</summary>
    public static RenderedText Render(string text, TemplateScope scope) => Parse(text).Render(scope);

    /// <summary>Writes <c>?</c> for missing values, and cuts what is too long.</summary>
    public static string RenderLenient(string text, TemplateScope scope) => Parse(text).RenderLenient(scope);

    public static Template Parse(string text)
    {
        var parts = new List<(string, Placeholder?)>();
        var errors = new List<string>();
        var at = 0;
        while (at < text.Length)
        {
            var open = text.IndexOf("{{", at, StringComparison.Ordinal);
            var close = open < 0 ? -1 : text.IndexOf("}}", open + 2, StringComparison.Ordinal);
            if (close < 0)
            {
                if (open >= 0)
                {
                    errors.Add("'{{' is not closed by '}}'. Write for example {{ labels.pod }}.");
                }

                parts.Add((text[at..], null));
                break;
            }

            if (open > at)
            {
                parts.Add((text[at..open], null));
            }

            var (placeholder, error) = Placeholder.Parse(text[(open + 2)..close].Trim());
            parts.Add((placeholder is null ? "?" : text[open..(close + 2)], placeholder));
            if (error is not null)
            {
                errors.Add(error);
            }

            at = close + 2;
        }

        return new Template(parts, errors);
    }

    /// <param name="insert">Decides which values may be inserted. Null for all.</param>
    /// <param name="lenient">Whether missing values become <c>?</c>, and what is too long is cut.</param>
    internal RenderedText Render(TemplateScope scope, RenderMode mode = RenderMode.Run, IInsertRule? insert = null, bool lenient = false)
    {
        var errors = new List<string>(Errors);
        var pending = false;
        var text = new StringBuilder();
        foreach (var (literal, placeholder) in _parts)
        {
            if (placeholder is null)
            {
                text.Append(literal);
            }
            else if (mode == RenderMode.Plan && scope.IsPending(placeholder))
            {
                pending = true;
                text.Append(literal);
            }
            else if ((scope.Find(placeholder) ?? (lenient ? "?" : null)) is not { } value)
            {
                errors.Add(scope.Missing(placeholder));
            }
            else if (insert?.Refuse(text.ToString(), value) is { } reason)
            {
                errors.Add($"The value of {{{{ {Clip.To(placeholder.Path, 80)} }}}} {reason}");
            }
            else if (!lenient && text.Length + value.Length > MaxLength)
            {
                errors.Add($"With {{{{ {Clip.To(placeholder.Path, 80)} }}}} the text is longer than {MaxLength} characters. Use a shorter value.");
            }
            else
            {
                text.Append(Clip.To(value, MaxLength));
            }
        }

        return errors.Count > 0 ? new(null, errors, pending) : new(text.ToString(), [], pending);
    }

    public string RenderLenient(TemplateScope scope) =>
        Clip.To(
            string.Concat(_parts.Select(part => part.Placeholder is null ? part.Text : scope.Find(part.Placeholder) ?? "?")), MaxLength);

    /// <summary><c>{labels.pod}</c> of Python and C#, <c>${labels.pod}</c> of shells and Bicep, <c>$labels.pod</c> of Prometheus' rules.</summary>
    [GeneratedRegex(@"(\$\{?|\{)\s*\.?(labels|annotations|alert|findings|steps)\.\w+(\s*\})?", RegexOptions.NonBacktracking)]
    private static partial Regex Lookalike();
}

/// <summary>A value may mean something inside the text that a rule for the whole text cannot see.</summary>
internal interface IInsertRule
{
    /// <param name="before">The text before the inserted value.</param>
    /// <returns>Why the value must not be inserted, after "The value of …". Null if it may.</returns>
    string? Refuse(string before, string value);
}

/// <param name="Value">Null if there are errors.</param>
/// <param name="Errors">Each names the placeholder and what is there instead, but never a value.</param>
/// <param name="Pending">The value contains placeholders for outputs of steps that have not run.</param>
public sealed record RenderedText(string? Value, IReadOnlyList<string> Errors, bool Pending);

public enum RenderMode
{
    /// <summary>Everything must be there.</summary>
    Run,

    /// <summary>Outputs of steps that have not run yet stay as placeholders.</summary>
    Plan,
}
