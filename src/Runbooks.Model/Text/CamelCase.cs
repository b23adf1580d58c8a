using System.Text.Json;

namespace Runbooks.Model.Text;

/// <summary>Names as runbook files write them.</summary>
internal static class CamelCase
{
    public static string Of(string name) => JsonNamingPolicy.CamelCase.ConvertName(name);

    public static string Of<T>(T value) where T : struct, Enum => Of(value.ToString());

    /// <summary>The values of an enumeration as files write them.</summary>
    public static IReadOnlyList<string> Choices(Type enumeration) => [.. Enum.GetNames(enumeration).Select(Of)];
}
