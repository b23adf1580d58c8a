using System.Text.Json.Serialization;
using System.Text.Unicode;

namespace Runbooks.Intake.Parsing;

/// <summary>A parser's name that is given twice fails at start-up.</summary>
public sealed class AlertReader
{
    private readonly SortedDictionary<string, IAlertParser> _parsers = new(StringComparer.OrdinalIgnoreCase);

    public AlertReader(IEnumerable<IAlertParser> parsers)
    {
        foreach (var parser in parsers)
        {
            if (!_parsers.TryAdd(parser.Source, parser))
            {
                var (first, second) = (_parsers[parser.Source].GetType(), parser.GetType());
                throw new InvalidOperationException($"Two alert parsers read '{parser.Source}': {first} and {second}.");
            }
        }
    }

    public IReadOnlyCollection<string> Sources => _parsers.Keys;

    public bool Knows(string source) => _parsers.ContainsKey(source);

    /// <summary>A known source in the case of its parser.</summary>
    public string NameOf(string source) => _parsers[source].Source;

    /// <summary>Hides what looks like a secret. No body makes it throw.</summary>
    /// <param name="charset">From the request; used where the body is not UTF-8.</param>
    /// <exception cref="KeyNotFoundException">The source is unknown: ask <see cref="Knows"/> first.</exception>
    public ParsedAlerts Read(string source, ReadOnlyMemory<byte> body, string? charset = null)
    {
        var parser = _parsers[source];
        using var document = JsonBody.Open(PostEncoding.ToUtf8(body, charset, out var warning), out var error);
        if (document is null)
        {
            return ParsedAlerts.Refused(error!, error!.Found == JsonBody.Empty ? 0 : 1);
        }

        var parsed = parser.Parse(document.RootElement);
        return parsed with
        {
            Alerts = [.. parsed.Alerts.Select(AlertSecrets.Hide)],
            Warnings = warning is null ? parsed.Warnings : [warning, .. parsed.Warnings],
        };
    }
}

/// <summary>
/// Good alerts are kept even when others of the same post are bad: few senders repeat a refused post. Either list may be empty, never both.
/// </summary>
public sealed record ParsedAlerts(IReadOnlyList<Alert> Alerts, IReadOnlyList<AlertError> Errors)
{
    public IReadOnlyList<AlertError> Warnings { get; init; } = [];

    /// <summary>A lower bound where the lost alerts cannot be counted.</summary>
    public int Lost { get; init; }

    /// <summary>Answer 400 with the errors.</summary>
    [JsonIgnore]
    public bool IsRefused => Alerts.Count == 0;

    /// <param name="lost">0 for a post without an alert.</param>
    public static ParsedAlerts Refused(AlertError error, int lost = 1) => new([], [error]) { Lost = lost };
}

/// <param name="Path">Where, as a JSON path: <c>$.alerts[2].labels</c>.</param>
/// <param name="Found">What is there: <c>missing</c>, <c>a number</c>.</param>
public sealed record AlertError(string Path, string Found, string Remedy)
{
    public override string ToString() => $"{Path}: {Found}; {Remedy}";
}

/// <summary>
/// Longer text is cut and ends in <c>…</c>, so that a cut value never equals another, valid one. Links and resource ids are useless when
/// cut and are left out instead.
/// </summary>
public static class AlertLimits
{
    /// <summary>Bytes of one post. Azure Monitor sends at most 256 KB an alert.</summary>
    public const int Body = 1024 * 1024;

    public const int Depth = 64;

    public const int Alerts = 1000;

    public const int Errors = 20;

    public const int Labels = 100;
    public const int Annotations = 100;
    public const int Resources = 100;

    // Characters (UTF-16), each.
    public const int Name = 512;
    public const int Severity = 64;
    public const int Summary = 1000;
    public const int Fingerprint = 512;
    public const int Runbook = 128;
    public const int LabelName = 200;
    public const int LabelValue = 2000;
    public const int AnnotationValue = 4000;
    public const int Resource = 2000;
    public const int Link = 4000;
}

internal static class JsonBody
{
    public const string Empty = "empty";

    private const string Remedy = "post one JSON document as UTF-8";

    public static JsonDocument? Open(ReadOnlyMemory<byte> utf8, out AlertError? error)
    {
        error = null;
        if (utf8.Span.StartsWith("\uFEFF"u8))
        {
            utf8 = utf8[3..];
        }

        if (utf8.Length > AlertLimits.Body)
        {
            error = new("$", $"{utf8.Length} bytes", $"post at most {AlertLimits.Body} bytes; send fewer alerts at once");
        }
        else if (utf8.Span.IndexOfAnyExcept(" \t\r\n"u8) < 0)
        {
            error = new("$", Empty, Remedy);
        }
        else
        {
            return Parse(utf8, out error);
        }

        return null;
    }

    private static JsonDocument? Parse(ReadOnlyMemory<byte> utf8, out AlertError? error)
    {
        error = null;
        try
        {
            return JsonDocument.Parse(utf8, new() { MaxDepth = AlertLimits.Depth });
        }
        catch (JsonException e)
        {
            // The library's message quotes the body and names its own types.
            error = new(
                "$",
                $"not JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}",
                $"{Remedy}, nested at most {AlertLimits.Depth} levels");
            return null;
        }
    }
}

/// <summary>
/// JSON is UTF-8 (RFC 8259), but Windows PowerShell 5.1 posts its own code page. A name with "\uFFFD" in it would match no trigger, and two
/// machines could look like one.
/// </summary>
internal static class PostEncoding
{
    private static readonly Encoding s_windows1252 = CodePagesEncodingProvider.Instance.GetEncoding(1252)!;

    /// <param name="warning">Null for a post in UTF-8.</param>
    public static ReadOnlyMemory<byte> ToUtf8(ReadOnlyMemory<byte> post, string? charset, out AlertError? warning)
    {
        warning = null;
        if (post.Length > AlertLimits.Body || Utf8.IsValid(post.Span))
        {
            return post;
        }

        var encoding = Find(charset) ?? s_windows1252;
        warning = new(
            "$",
            "not UTF-8",
            $"it was read as {encoding.WebName}; post UTF-8 (PowerShell: -ContentType 'application/json; charset=utf-8')");
        return Encoding.UTF8.GetBytes(encoding.GetString(post.Span));
    }

    /// <summary>
    /// Senders that name ISO 8859-1 or ASCII mean Windows-1252 (https://encoding.spec.whatwg.org). UTF-16 is refused: it is not valid JSON
    /// here, and half of it would look valid.
    /// </summary>
    /// <returns>Null for an encoding that is unknown, or not based on ASCII.</returns>
    private static Encoding? Find(string? charset) =>
        charset is not null
        && CodePagesEncodingProvider.Instance.GetEncoding(charset) is { } encoding
        && encoding.GetBytes("{").AsSpan().SequenceEqual("{"u8)
            ? encoding
            : null;
}

/// <summary>
/// Never throws for its input: a field of an unexpected kind is read as well as it can be, and what cannot be understood at all becomes an
/// <see cref="AlertError"/>.
/// </summary>
public interface IAlertParser
{
    /// <summary>As in <c>POST /api/alerts/{source}</c>.</summary>
    string Source { get; }

    ParsedAlerts Parse(JsonElement body);
}
