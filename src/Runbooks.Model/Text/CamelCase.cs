using System.Text.Json;

namespace Runbooks.Model.Text;

public static class CamelCase
{
    /// <summary>Enumerations in JSON as words. Numbers are refused.</summary>
    public static JsonConverter Enums { get; } = new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false);

    public static string Of(string name) => JsonNamingPolicy.CamelCase.ConvertName(name);

    public static string Of<T>(T value) where T : struct, Enum => Of(value.ToString());

    public static IReadOnlyList<string> Choices(Type enumeration) => [.. Enum.GetNames(enumeration).Select(Of)];
}
