using DurableTask.Core.Serializing;
using Runbooks.Engine;

namespace Runbooks.Orchestration.TaskHub;

/// <summary>Inputs and events as <see cref="DurableJson"/> writes them, for Durable Task's client.</summary>
internal sealed class TaskHubJson : DataConverter
{
    public static TaskHubJson Instance { get; } = new();

    public override string? Serialize(object? value) => value is null ? null : DurableJson.Write(value, value.GetType());

    public override string? Serialize(object? value, bool formatted) => Serialize(value);

    public override object? Deserialize(string? data, Type objectType) => data is null ? null : DurableJson.Read(data, objectType);
}
