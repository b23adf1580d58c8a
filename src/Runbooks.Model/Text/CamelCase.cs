using System.Text.Json;

namespace Runbooks.Model.Text;

/// <summary>Names as runbook files, the API and messages write them.</summary>
public static class CamelCase
{
    /// <summary>Writes and reads enumerations in JSON as words; a number is none of them.</summary>
    public static JsonConverter Enums { get; } = new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false);

    public static string Of(string name) => JsonNamingPolicy.CamelCase.ConvertName(name);

    public static string Of<T>(T value) where T : struct, Enum => Of(value.ToString());

    /// <summary>The values of an enumeration as files write them.</summary>
    public static IReadOnlyList<string> Choices(Type enumeration) => [.. Enum.GetNames(enumeration).Select(Of)];
}
