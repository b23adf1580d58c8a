using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Runbooks.Model.Alerts;

namespace Runbooks.Intake.Parsing;

/// <summary>Reads a list of alerts one by one, so that one that is not understood does not cost the others.</summary>
internal static class AlertList
{
    public delegate Alert? ReadOne(Payload alert, string path, Action<AlertError> report);

    /// <param name="path">Where the list is, for errors.</param>
    public static ParsedAlerts Read(Payload list, string path, ReadOne readOne)
    {
        if (list.Element.GetArrayLength() is var count && count is 0 or > AlertLimits.Alerts)
        {
            return ParsedAlerts.Refused(count == 0
                ? new(path, list.Found, "send at least one alert")
                : new(path, $"{count} alerts", $"send at most {AlertLimits.Alerts} at once (Alertmanager: max_alerts)"));
        }

        var alerts = new List<Alert>();
        var errors = new List<AlertError>();
        var index = 0;
        foreach (var item in list.Items())
        {
            ReadInto(alerts, errors, item, string.Create(CultureInfo.InvariantCulture, $"{path}[{index++}]"), readOne);
        }

        return new(alerts, errors);
    }

    public static ParsedAlerts ReadSingle(Payload alert, string path, ReadOne readOne)
    {
        var alerts = new List<Alert>();
        var errors = new List<AlertError>();
        ReadInto(alerts, errors, alert, path, readOne);
        return new(alerts, errors);
    }

    private static void ReadInto(List<Alert> alerts, List<AlertError> errors, Payload item, string path, ReadOne readOne)
    {
        void Report(AlertError error)
        {
            if (errors.Count < AlertLimits.Errors)
            {
                errors.Add(error);
            }
        }

        if (!item.IsObject)
        {
            Report(new(path, item.Found, "each alert is an object"));
        }
        else if (readOne(item, path, Report) is { } alert)
        {
            alerts.Add(alert);
        }
    }
}

/// <summary>Collects labels or annotations: bounded in number, no empty values (to Prometheus an empty label is no label).</summary>
internal sealed class LabelSet(int limit, int valueLimit)
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, string> Values => _values;

    private bool IsFull => _values.Count >= limit;

    public static LabelSet ForLabels() => new(AlertLimits.Labels, AlertLimits.LabelValue);

    public static LabelSet ForAnnotations() => new(AlertLimits.Annotations, AlertLimits.AnnotationValue);

    public string? this[string name] => _values.GetValueOrDefault(name);

    /// <summary>Sets a label, over an earlier one of that name.</summary>
    public LabelSet Set(string? name, string? value)
    {
        if (!string.IsNullOrEmpty(name) && !string.IsNullOrEmpty(value) && (!IsFull || _values.ContainsKey(name)))
        {
            _values[name] = value;
        }

        return this;
    }

    /// <summary>Adds a label unless one of that name is there.</summary>
    public LabelSet Add(string? name, string? value) => name is not null && _values.ContainsKey(name) ? this : Set(name, value);

    public LabelSet Add(string name, Payload value) => Add(name, value.Text(valueLimit));

    public LabelSet SetAll(Payload pairs)
    {
        foreach (var (name, value) in pairs.Pairs().TakeWhile(_ => !IsFull))
        {
            Set(name, value.Text(valueLimit));
        }

        return this;
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

/// <summary>An identity for alerts whose sender gives none (or too long a one): a hash of what stays the same.</summary>
internal static class AlertFingerprint
{
    public static string OfLabels(string name, IReadOnlyDictionary<string, string> labels) =>
        Of([name, .. labels.OrderBy(label => label.Key, StringComparer.Ordinal).SelectMany(label => new[] { label.Key, label.Value })]);

    /// <summary>Each part is hashed with its length before it, so that ["ab", "c"] and ["a", "bc"] differ.</summary>
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
    /// The address in canonical form; null unless it is absolute http or https. One with a user name in it is left out
    /// too: it may carry a password, and it makes a foreign host look familiar.
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

/// <summary>Words that several senders use.</summary>
internal static class AlertText
{
    private static readonly HashSet<string> Over = new(["resolved", "ok", "closed", "recovered", "inactive"], StringComparer.OrdinalIgnoreCase);

    /// <summary>An unknown word counts as firing: an incident too many is looked at, an alert too few is not.</summary>
    public static AlertStatus Status(string? word) => word is not null && Over.Contains(word.Trim()) ? AlertStatus.Resolved : AlertStatus.Firing;

    public static string? Summary(Payload annotations) =>
        annotations["summary"].Line(AlertLimits.Summary)
        ?? annotations["message"].Line(AlertLimits.Summary)
        ?? annotations["description"].Line(AlertLimits.Summary);
}
