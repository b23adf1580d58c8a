using System.Text.Json;
using Runbooks.Catalog.Steps;

namespace Runbooks.Integrations;

/// <summary>For actions that take <c>keep: true</c>: what they did stays until a person takes it back.</summary>
internal static class Kept
{
    public static Reversal By(JsonElement with) =>
        with.ValueKind == JsonValueKind.Object && with.TryGetProperty("keep", out var keep) && keep.ValueKind == JsonValueKind.True ? Reversal.Kept : Reversal.Undone;
}

/// <summary>For actions that are undone as the step says, by <c>undo</c>, or not at all.</summary>
internal static class SaidUndo
{
    public static Reversal In(JsonElement with) =>
        with.ValueKind == JsonValueKind.Object && with.TryGetProperty("undo", out var undo) && undo.ValueKind == JsonValueKind.Object ? Reversal.Undone : Reversal.None;
}
