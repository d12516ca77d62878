print(("hello world"):gsub("(%w+) (%w+)", "%2 %1"), ("abc"):find("b", 1, true), ("x=1, y=2"):match("(%w+)=(%d+)"))
for k, v in ("a=1,b=2"):gmatch("(%w)=(%w)") do print(k, v) end print(("%5.2f %s %q"):format(1.5, {}, "x"), ("(a(b))"):match("%b()"))
print(utf8.len("abc"), ("THE (quick) fox"):find("%f[%a]%a+%f[%A]"), ("x"):rep(3, ","), string.pack("<i4", 7), load("return 1")())
