using System.Text.Json;
using System.Text.Json.Serialization;
using Runbooks.Engine;
using Runbooks.Model.Alerts;
using Runbooks.Model.Incidents;

namespace Runbooks.Sqlite.Store;

/// <summary>
/// Writes incidents as <see cref="DurableJson"/> does. An incident is written some fifteen times in its life, and each time most
/// of it is what it was: parts that are still the same object are written as the bytes that they were written as before. Parts
/// never change, and only the writer's thread comes here.
/// </summary>
internal sealed class IncidentJson
{
    /// <summary>Parts kept in each of two generations: some hundred incidents.</summary>
    private const int Generation = 4_096;

    private readonly JsonSerializerOptions _options;
    private Dictionary<object, byte[]> _young = new(ReferenceEqualityComparer.Instance);
    private Dictionary<object, byte[]> _old = new(ReferenceEqualityComparer.Instance);

    public IncidentJson()
    {
        _options = new(DurableJson.Options);
        _options.Converters.Insert(0, new PartConverter<TimelineEntry>(this));
        _options.Converters.Insert(0, new PartConverter<Gate>(this));
        _options.Converters.Insert(0, new PartConverter<StepRecord>(this));
        _options.Converters.Insert(0, new PartConverter<Finding>(this));
        _options.Converters.Insert(0, new PartConverter<Delivery>(this));
        _options.Converters.Insert(0, new PartConverter<VerificationRound>(this));
        _options.Converters.Insert(0, new PartConverter<AttachedAlert>(this));
        _options.Converters.Insert(0, new PartConverter<Alert>(this));
    }

    public byte[] Write(Incident incident) => JsonSerializer.SerializeToUtf8Bytes(incident, _options);

    private byte[] PartOf<T>(T part)
        where T : class
    {
        if (_young.TryGetValue(part, out var json))
        {
            return json;
        }

        if (!_old.TryGetValue(part, out json))
        {
            json = JsonSerializer.SerializeToUtf8Bytes(part, DurableJson.Options);
        }

        if (_young.Count >= Generation)
        {
            (_old, _young) = (_young, new(ReferenceEqualityComparer.Instance));
        }

        _young[part] = json;
        return json;
    }

    private sealed class PartConverter<T>(IncidentJson parts) : JsonConverter<T>
        where T : class
    {
        public override T? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            JsonSerializer.Deserialize<T>(ref reader, DurableJson.Options);

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
            writer.WriteRawValue(parts.PartOf(value), skipInputValidation: true);
    }
}
