using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Runbooks.Intake.Parsing;

/// <summary>One bad alert does not cost the others.</summary>
internal static class AlertList
{
    public delegate Alert? ReadOne(Payload alert, string path, PostReport report);

    public static ParsedAlerts Read(Payload list, string path, ReadOne readOne)
    {
        var count = list.Element.GetArrayLength();
        if (count == 0)
        {
            return ParsedAlerts.Refused(new(path, list.Found, "send at least one alert"), lost: 0);
        }

        var report = new PostReport();
        if (count > AlertLimits.Alerts)
        {
            report.Lose(
                new(
                    path,
                    $"{count} alerts, of which the first {AlertLimits.Alerts} were read",
                    $"send at most {AlertLimits.Alerts} in one post (Alertmanager: a finer group_by)"),
                count - AlertLimits.Alerts);
        }

        var alerts = new List<Alert>();
        var index = 0;
        foreach (var item in list.Items().Take(AlertLimits.Alerts))
        {
            ReadInto(alerts, report, item, $"{path}[{index++}]", readOne);
        }

        return report.With(alerts);
    }

    public static ParsedAlerts ReadSingle(Payload alert, string path, ReadOne readOne)
    {
        var alerts = new List<Alert>();
        var report = new PostReport();
        ReadInto(alerts, report, alert, path, readOne);
        return report.With(alerts);
    }

    private static void ReadInto(List<Alert> alerts, PostReport report, Payload item, string path, ReadOne readOne)
    {
        if (!item.IsObject)
        {
            report.Lose(new(path, item.Found, "each alert is an object"));
        }
        else if (readOne(item, path, report) is { } alert)
        {
            alerts.Add(alert);
        }
    }
}

internal sealed class PostReport
{
    private readonly List<AlertError> _errors = [];
    private readonly List<AlertError> _warnings = [];
    private int _lost;

    /// <summary>Only the first errors are listed; all alerts are counted.</summary>
    public void Lose(AlertError error, int alerts = 1)
    {
        _lost += alerts;
        Add(_errors, error);
    }

    /// <summary>The alert is taken, but a part of it was guessed.</summary>
    public void Warn(AlertError warning) => Add(_warnings, warning);

    public ParsedAlerts With(IReadOnlyList<Alert> alerts) => new(alerts, _errors) { Warnings = _warnings, Lost = _lost };

    private static void Add(List<AlertError> list, AlertError error)
    {
        if (list.Count < AlertLimits.Errors)
        {
            list.Add(error);
        }
    }
}

/// <summary>Bounded in number, without empty values: to Prometheus an empty label is no label.</summary>
internal sealed class LabelSet(int limit, int valueLimit)
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, string> Values => _values;

    private bool IsFull => _values.Count >= limit;

    public static LabelSet ForLabels() => new(AlertLimits.Labels, AlertLimits.LabelValue);

    public static LabelSet ForAnnotations() => new(AlertLimits.Annotations, AlertLimits.AnnotationValue);

    public string? this[string name] => _values.GetValueOrDefault(name);

    /// <summary>Replaces an earlier value of that name.</summary>
    public LabelSet Set(string? name, string? value)
    {
        if (!string.IsNullOrEmpty(name) && !string.IsNullOrEmpty(value) && (!IsFull || _values.ContainsKey(name)))
        {
            _values[name] = value;
        }

        return this;
    }

    /// <summary>Keeps an earlier value of that name.</summary>
    public LabelSet Add(string? name, string? value) =>
        name is not null && _values.ContainsKey(name) ? this : Set(name, value);

    /// <summary>
    /// Only the sender itself may set this name, which has a meaning here. What its users wrote under it is kept as <c>custom.NAME</c>.
    /// </summary>
    public LabelSet Reserve(string name, Payload value)
    {
        var isTheirs = _values.Remove(name, out var theirs);
        Set(name, value.Text(valueLimit));
        return isTheirs ? Set($"custom.{name}", theirs) : this;
    }

    public LabelSet Add(string name, Payload value) => Add(name, value.Text(valueLimit));

    public LabelSet SetAll(Payload pairs)
    {
        foreach (var (name, value) in pairs.Pairs().TakeWhile(_ => !IsFull))
        {
            Set(name, value.Text(valueLimit));
        }

        return this;
    }

    /// <summary>Warns the sender of parts of the labels that no label can be read from.</summary>
    /// <returns>These parts as sent, without measured ones.</returns>
    public static IReadOnlyList<string> Unread(Payload labels, string path, PostReport report)
    {
        var unread = new List<string>();
        foreach (var (name, at, value) in labels.NoPairs())
        {
            report.Warn(new(
                $"{path}{at}",
                value.Found,
                "no label is read of this, so no template, trigger or target finds it; give each label a name and a text"));
            if (name is null || !AlertLabels.IsMeasured(name))
            {
                unread.Add($"{at}={value.Raw}");
            }
        }

        return unread;
    }

    public LabelSet AddAll(Payload pairs)
    {
        foreach (var (name, value) in pairs.Pairs().TakeWhile(_ => !IsFull))
        {
            Add(name, value.Text(valueLimit));
        }

        return this;
    }
}

/// <summary>For an alert whose sender gives no identity, or too long a one: a hash of what stays the same.</summary>
internal static class AlertFingerprint
{
    /// <summary>Blanks around a value, and how its letters are composed, make no difference, as when targets are compared.</summary>
    /// <param name="more">Parts that are not labels but may distinguish two alerts.</param>
    public static string OfLabels(string name, IReadOnlyDictionary<string, string> labels, params IEnumerable<string> more)
    {
        var pairs = labels
            .Where(label => !AlertLabels.IsMeasured(label.Key))
            .OrderBy(label => label.Key, StringComparer.Ordinal)
            .SelectMany(label => new[] { label.Key, ComposedText.Of(label.Value).Trim() });
        return Of([name, .. pairs, .. more]);
    }

    /// <summary>Each part is hashed after its length, so that ["ab", "c"] and ["a", "bc"] differ.</summary>
    public static string Of(IEnumerable<string> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (var part in parts)
        {
            var bytes = Encoding.UTF8.GetBytes(part);
            BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
            hash.AppendData(length);
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 16));
    }
}

internal static class AlertLink
{
    /// <summary>
    /// Null unless it is absolute http or https. An address with a user name is left out too: it may carry a password, and it makes a
    /// foreign host look familiar.
    /// </summary>
    public static string? Clean(string? text) =>
        text is { Length: > 0 and <= AlertLimits.Link }
        && Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
        && uri.UserInfo.Length == 0
        && uri.AbsoluteUri is { Length: <= AlertLimits.Link } link
            ? link
            : null;
}
