using System.Text.Json;

namespace Runbooks.Intake.Parsing;

/// <summary>Every sender that is understood, found by its name. A name given twice fails at start-up.</summary>
public sealed class AlertReader
{
    private readonly SortedDictionary<string, IAlertParser> _parsers = new(StringComparer.OrdinalIgnoreCase);

    public AlertReader(IEnumerable<IAlertParser> parsers)
    {
        foreach (var parser in parsers)
        {
            if (!_parsers.TryAdd(parser.Source, parser))
            {
                throw new InvalidOperationException($"Two alert parsers read '{parser.Source}': {_parsers[parser.Source].GetType()} and {parser.GetType()}.");
            }
        }
    }

    public IReadOnlyCollection<string> Sources => _parsers.Keys;

    public bool Knows(string source) => _parsers.ContainsKey(source);

    /// <summary>Reads a post of a known source (ignoring case). Throws for nothing in the body.</summary>
    /// <exception cref="KeyNotFoundException">Ask <see cref="Knows"/> first.</exception>
    public ParsedAlerts Read(string source, ReadOnlyMemory<byte> utf8)
    {
        var parser = _parsers[source];
        using var document = JsonBody.Open(utf8, out var error);
        return document is null ? ParsedAlerts.Refused(error!) : parser.Parse(document.RootElement);
    }
}
