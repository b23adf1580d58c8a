using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Runbooks.Model;

namespace TestKit;

/// <summary>
/// Fills any of our records, whatever members it has, from a seed: a member that is added later is in every round-trip
/// test from its first day.
/// </summary>
public sealed class ArbitraryRecord(int seed)
{
    private static readonly string[] s_texts = ["", "plain", "<b>&'\"</b>", "tab\tline\n\0nul", "日本語 👩‍💻", "{{ labels.pod }}", "\\/", "\u2028\u007f"];

    private readonly Random _random = new(seed);

    public T Make<T>() => (T)Make(typeof(T))!;

    /// <summary>The members of a record that carry its value: those that can be set, and are not left out of what is stored on purpose.</summary>
    public static IEnumerable<PropertyInfo> Members(Type record) =>
        record.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.SetMethod is not null && !property.IsDefined(typeof(JsonIgnoreAttribute)) && !property.IsDefined(typeof(JsonExtensionDataAttribute)));

    /// <summary>What the member is called where it is stored.</summary>
    public static string NameOf(PropertyInfo member) =>
        member.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? JsonNamingPolicy.CamelCase.ConvertName(member.Name);

    private object? Make(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } bare)
        {
            return _random.Next(3) == 0 ? null : Make(bare);
        }

        if (type.IsEnum)
        {
            var values = type.GetEnumValues();
            return values.GetValue(_random.Next(values.Length));
        }

        return type switch
        {
            _ when type == typeof(string) => s_texts[_random.Next(s_texts.Length)] + _random.Next(100),
            _ when type == typeof(int) => _random.Next(int.MinValue, int.MaxValue),
            _ when type == typeof(bool) => _random.Next(2) == 0,
            _ when type == typeof(double) => _random.Next(8) switch { 0 => double.NaN, 1 => double.PositiveInfinity, 2 => double.Epsilon, _ => _random.NextDouble() * 1e9 },
            _ when type == typeof(TimeSpan) => TimeSpan.FromTicks(_random.NextInt64(-1_000_000_000_000, 1_000_000_000_000)),
            _ when type == typeof(DateTimeOffset) =>
                new DateTimeOffset(_random.NextInt64(DateTime.UnixEpoch.Ticks, DateTime.UnixEpoch.AddYears(100).Ticks), TimeSpan.FromMinutes(_random.Next(-840, 840))),
            _ when type == typeof(JsonElement) => JsonSerializer.SerializeToElement(new { a = _random.Next(), b = new object?[] { null, s_texts[_random.Next(s_texts.Length)], true, 1.5 } }),
            { IsGenericType: true } when type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) => MakeList(type.GenericTypeArguments[0]),
            { IsGenericType: true } when type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>) => MakeDictionary(type.GenericTypeArguments[1]),
            _ => MakeRecord(type),
        };
    }

    private System.Collections.IDictionary MakeDictionary(Type value)
    {
        var made = (System.Collections.IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(typeof(string), value))!;
        for (var i = _random.Next(4); i > 0; i--)
        {
            made[$"{s_texts[_random.Next(s_texts.Length)]}{i}"] = Make(value);
        }

        return made;
    }

    private Array MakeList(Type item)
    {
        var list = Array.CreateInstance(item, _random.Next(4));
        for (var i = 0; i < list.Length; i++)
        {
            list.SetValue(Make(item), i);
        }

        return list;
    }

    private object MakeRecord(Type type)
    {
        var record = RuntimeHelpers.GetUninitializedObject(type);
        var nullability = new NullabilityInfoContext();
        foreach (var member in Members(type))
        {
            var mayBeNull = !member.PropertyType.IsValueType && nullability.Create(member).ReadState == NullabilityState.Nullable;
            member.SetValue(record, mayBeNull && _random.Next(3) == 0 ? null : Make(member.PropertyType));
        }

        if (record is Evolving && _random.Next(3) == 0)
        {
            type.GetProperty(nameof(Evolving.Later))!.SetValue(record, new Dictionary<string, JsonElement> { ["ofALaterVersion"] = Make<JsonElement>() });
        }

        return record;
    }
}
